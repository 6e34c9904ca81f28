import assert from "node:assert/strict";
import { test } from "node:test";
import type { HTTPRoute } from "@gatehouse/gateway-api/http-route";
import { httpRoute } from "./objects.ts";
import { isSettled, untilTold } from "./site.ts";

const route = (status: "True" | "False", observedGeneration: number): HTTPRoute => {
  const plain = httpRoute("one", { namespace: "demo", host: "one.test", base: "demo" });
  const condition = {
    type: "Accepted",
    status,
    reason: "Accepted",
    message: "",
    lastTransitionTime: "",
    observedGeneration,
  };
  const parents = [{ parentRef: { name: "bench" }, controllerName: "example.com/one", conditions: [condition] }];
  return { ...plain, metadata: { ...plain.metadata, generation: 2 }, status: { parents } };
};

test("a route is settled when this very generation of it was accepted", () => {
  assert.equal(isSettled(route("True", 2)), true);
  assert.equal(isSettled(route("True", 1)), false);
  assert.equal(isSettled(route("False", 2)), false);
  assert.equal(isSettled(httpRoute("one", { namespace: "demo", host: "one.test", base: "demo" })), false);
});

test("what is waited for is unsubscribed from, whether it comes or is interrupted", async () => {
  let subscribers = 0;
  const subscribe = (tell: boolean) => (check: (holds: boolean) => void) => {
    subscribers++;
    check(tell);
    return () => void subscribers--;
  };
  const controller = new AbortController();
  await untilTold(subscribe(true), "it", controller.signal);
  assert.equal(subscribers, 0);
  const waiting = untilTold(subscribe(false), "it", controller.signal);
  assert.equal(subscribers, 1);
  controller.abort(new Error("interrupted"));
  await assert.rejects(waiting, /interrupted/);
  assert.equal(subscribers, 0);
});
