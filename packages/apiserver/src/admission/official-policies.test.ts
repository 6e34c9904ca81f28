// The official bundles with kubectl: everything applies, and the policy of newer ones keeps older definitions out.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bundles, officialDefinitions } from "@gatehouse/gateway-api/testing";
import { kubectlFor, kubectlSkip } from "../kubectl.fixture.ts";
import { startTestServer } from "../testing.ts";

const apply = ["apply", "--server-side", "-f", "-"];

describe("kubectl apply --server-side", { skip: kubectlSkip() }, () => {
  for (const bundle of bundles) {
    const { skip, crds, policies } = officialDefinitions(bundle);
    test(`of ${bundle.version} ${bundle.channel}`, { skip }, async (t) => {
      const server = await startTestServer({ tls: true });
      const kubectl = await kubectlFor(server);
      t.after(async () => {
        await kubectl.close();
        await server.close();
      });
      const lines = (await kubectl.succeeds(apply, ...crds(), ...policies())).split("\n");
      assert.equal(lines.length, crds().length + policies().length);
      if (policies().length === 0) return;
      const [old] = officialDefinitions({ version: "v1.4.0", channel: "standard" }).crds();
      assert.ok(old);
      const { code, stderr } = await kubectl.run([...apply, "--force-conflicts"], old);
      assert.equal(code, 1);
      const name = "safe-upgrades.gateway.networking.k8s.io";
      assert.ok(
        stderr.includes(
          `is invalid: : ValidatingAdmissionPolicy '${name}' with binding '${name}' denied request: Installing CRDs with version `,
        ),
        stderr,
      );
      await kubectl.succeeds(["delete", "validatingadmissionpolicy", name]);
      await kubectl.succeeds([...apply, "--force-conflicts"], old);
    });
  }
});
