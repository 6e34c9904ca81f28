import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { type Pod, pods, serviceAccounts } from "@gatehouse/apimachinery/types/core-v1";
import { refusedWith, startTestServer, type TestServer } from "../testing.ts";

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
after(() => cluster.close());

function pod(name: string, spec: Partial<Pod["spec"]> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default" },
    spec: { containers: [{ name: "a", image: "traefik/whoami" }], ...spec },
  };
}

test("a Pod of an account that there is not is refused; `default` is on its way", async () => {
  await assert.rejects(
    client.create(pods, pod("robot", { serviceAccountName: "robot" })),
    refusedWith(
      403,
      /^pods "robot" is forbidden: error looking up service account default\/robot: serviceaccount "robot" not found$/,
    ),
  );
  const metadata = { name: "robot", namespace: "default" };
  await client.create(serviceAccounts, { apiVersion: "v1", kind: "ServiceAccount", metadata });
  assert.equal(
    (await client.create(pods, pod("robot", { serviceAccountName: "robot" }))).spec.serviceAccountName,
    "robot",
  );
  assert.equal((await client.create(pods, pod("usual"))).spec.serviceAccountName, "default");
});

test("a lost node is put up with for five minutes, unless the Pod says otherwise", async () => {
  const lost = (key: string) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 });
  const made = await client.create(pods, pod("patient"));
  assert.deepEqual(made.spec.tolerations, [
    lost("node.kubernetes.io/not-ready"),
    lost("node.kubernetes.io/unreachable"),
  ]);
  const own = { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 1 };
  const hasty = await client.create(pods, pod("hasty", { tolerations: [own] }));
  assert.deepEqual(hasty.spec.tolerations, [own, lost("node.kubernetes.io/not-ready")]);
  const everything = await client.create(pods, pod("stoic", { tolerations: [{ operator: "Exists" }] }));
  assert.deepEqual(everything.spec.tolerations, [{ operator: "Exists" }]);
});
