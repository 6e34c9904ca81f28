// Who gets which request when several routes would take it: the golden files' routes, asked by the proxy's own matcher.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { explain } from "@gatehouse/proxy/match/explain";
import { Matcher } from "@gatehouse/proxy/match/matcher";
import { optionsFor, pickObjects, readObjects } from "../testing/fixtures.ts";
import { translate } from "./translate.ts";

interface Request {
  host?: string;
  method?: string;
  headers?: Record<string, string>;
  /** By the proxy's name; default the entrypoint. */
  listener?: string;
}

/** The name of the route that takes a request for `target`, or why there is none. */
function winnerIn(fixture: string): (target: string, request?: Request) => string {
  const objects = readObjects(join(import.meta.dirname, "testdata", `${fixture}.in.yaml`));
  const { table } = translate(pickObjects(objects), optionsFor(objects));
  return (target, { host = "a.example.com", method = "GET", headers = {}, listener = "web" } = {}) => {
    const matcher: Matcher<null> = new Matcher();
    const servers = table.listeners.find(({ name }) => name === listener)?.servers ?? [];
    matcher.update(servers, { acquire: () => null, release: () => {} });
    const { route, outcome } = explain(matcher, { listener, host, method, target, headers });
    return route?.split("/")[2] ?? outcome;
  };
}

const own = (gateway: string): string => `gateway/traefik/${gateway}/8000`;
const a = { "x-a": "1" };
const ab = { "x-a": "1", "x-b": "2" };

const winner = winnerIn("precedence-across-routes");
const requests: [target: string, request: Request, winner: string][] = [
  ["/api/v1/users", {}, "exact"],
  ["/api/v1/users", { method: "POST", headers: ab }, "exact"],
  ["/api/v1/users?q=1&p=2", {}, "exact"],
  ["/api/v1/users/7", {}, "longer-prefix"],
  ["/api/v2/users", {}, "prefix"],
  ["/api/v1/x", { method: "POST", headers: ab }, "method"],
  ["/api/v1/x", { headers: ab }, "more-headers"],
  ["/api/v1/x?q=1&p=2", { headers: a }, "header"],
  ["/api/v1/x?q=1&p=2", {}, "more-query"],
  ["/api/v1/x?q=1", {}, "query"],
  ["/api/v1/x?q=2", { headers: { "x-b": "2" } }, "longer-prefix"],
  ["/files/v1/x", {}, "expression"],
  ["/files/x", {}, "everything"],
  ["/api/v1/users", { host: "b.example.com" }, "wildcard"],
  ["/", { host: "b.example.com" }, "no-route"],
  ["/", { host: "a.example.org" }, "no-virtual-host"],
  ["/files", {}, "second-exact"],
  ["/files", { listener: own("second") }, "second-exact"],
  ["/files", { listener: own("traefik-gateway") }, "everything"],
  ["/api/v1/users", { listener: own("second") }, "no-route"],
];
for (const [target, request, expected] of requests) {
  test(`${target} ${JSON.stringify(request)} -> ${expected}`, () => assert.equal(winner(target, request), expected));
}

const callee = winnerIn("precedence-of-calls");
const calls: [target: string, headers: Record<string, string>, winner: string][] = [
  ["/demo.Echo/Ping", a, "both"],
  ["/demo.Echo/Pong", {}, "service"],
  ["/demo.Echo/Pong", a, "service-header"],
  ["/demo.Other/Ping", a, "method"],
  ["/demo.Other/Pong", a, "header"],
  ["/demo.Other/Pong", {}, "everything"],
];
for (const [target, headers, expected] of calls) {
  test(`call ${target} ${JSON.stringify(headers)} -> ${expected}`, () => {
    assert.equal(callee(target, { method: "POST", headers }), expected);
  });
}
