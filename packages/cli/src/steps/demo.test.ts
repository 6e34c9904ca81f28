import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { startTestServer } from "@gatehouse/apiserver/testing";
import { createProgress } from "../progress.ts";
import type { ClusterProvider } from "../providers/provider.ts";
import { installDemo } from "./demo.ts";

const unused = (): never => assert.fail("the steps do not need it");

/** Whose gateway is never installed, so that nothing becomes ready. */
function impatient(t: TestContext): ClusterProvider {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-test-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return {
    kind: "kind",
    name: "gatehouse",
    context: "kind-gatehouse",
    directory,
    flags: " --cluster kind",
    readyTimeoutMs: 20,
    definitionsSource: "bundled",
    exposesDashboard: true,
    offersHosts: false,
    removedOnInterrupt: false,
    installGateway: () => Promise.resolve(),
    phase: unused,
    create: unused,
    connect: unused,
    entry: unused,
    facts: unused,
    stop: unused,
    destroy: unused,
  };
}

test("what does not become ready in time is named with its reason, and where to look", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  let shown = "";
  const progress = createProgress({ write: (text) => void (shown += text), terminal: false, quiet: false });
  const source = { kind: "bundled", bundle: { version: "v1.4.0", channel: "standard" } } as const;
  const decide = () => Promise.resolve(false);
  const client = await cluster.client();
  const expected =
    /^UserError: not ready after 0\.02 s: deployment\/demo\/whoami-v1: 0 of 2 replicas available; .*gateway\/traefik\/traefik-gateway: there is no GatewayClass "traefik".*; look with gatehouse status --cluster kind, then run it again$/;
  // The second run goes through the same steps over what the first one left.
  for (const _ of ["first", "second"]) {
    await assert.rejects(installDemo(impatient(t), client, progress, { source, decide }), expected);
  }
  assert.equal(shown.match(/✓ Apply the Gateway and the HTTPRoutes/g)?.length, 2);
  assert.equal(shown.match(/✗ Wait until pods, Gateway and routes are ready/g)?.length, 2);
  assert.doesNotMatch(shown, /Send a request/);
});
