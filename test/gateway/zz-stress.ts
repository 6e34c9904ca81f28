import assert from "node:assert/strict";
import { test } from "node:test";
import { httpRoutes } from "@gatehouse/gateway/gateway-resources";
import { startGateway, createDemoGateway, createService, demoRoute, startBackend, eventually } from "./gateway-fixture.ts";
test("toggle", { timeout: 60000 }, async (t) => {
  const f = await startGateway(t); const c = f.client;
  await createDemoGateway(c);
  await createService(c, "whoami-v1", [await startBackend(t, "one")]);
  await c.create(httpRoutes, demoRoute("r", "h0.localhost", "whoami-v1"));
  await eventually(async () => assert.equal((await f.get("h0.localhost")).status, 200));
  let max = 0;
  for (let i = 1; i <= 300; i++) {
    for (;;) { try { const r = await c.get(httpRoutes, "r", "demo"); r.spec.hostnames = [`h${i}.localhost`]; await c.update(httpRoutes, r); break; } catch (e: any) { if (e.reason !== "Conflict") throw e; } }
    const s = performance.now();
    await eventually(async () => assert.equal((await f.get(`h${i}.localhost`)).status, 200));
    max = Math.max(max, performance.now() - s);
    assert.equal((await f.get(`h${i-1}.localhost`)).status, 404);
  }
  console.log("max ms", max, "writes", f.statusWrites());
});
