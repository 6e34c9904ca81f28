import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "@gatehouse/apiserver/testing";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { applyAll } from "./apply-all.ts";
import { whyTraefikWaits } from "./traefik-needs.ts";

const bundles = [
  { version: "v1.4.0", channel: "standard", enough: false },
  // It has TLSRoute, in v1alpha2 and v1alpha3.
  { version: "v1.4.0", channel: "experimental", enough: false },
  { version: "v1.6.1", channel: "standard", enough: true },
] as const;

for (const { version, channel, enough } of bundles) {
  test(`what Traefik waits for: ${version} ${channel}`, async (t) => {
    const cluster = await startTestServer();
    t.after(() => cluster.close());
    const client = await cluster.client();
    await applyAll(client, customResourceDefinitions({ version, channel }));
    for (const fine of ["3.6.15", "v3.6.0", "3.5.2", "dev", "latest", ""]) {
      assert.equal(await whyTraefikWaits(client, fine), undefined, fine);
    }
    for (const newer of ["3.7.0", "v3.7.11", "v3.10.1", "4.0.0"]) {
      const why = `Traefik ${newer.replace("v", "")} serves nothing before the cluster has TLSRoute v1, which is in the Gateway API since v1.5`;
      assert.equal(await whyTraefikWaits(client, newer), enough ? undefined : why);
    }
  });
}
