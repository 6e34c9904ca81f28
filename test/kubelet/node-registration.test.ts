// The Node across lives of a cluster: the same one again, or a new one when its addresses had to change.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog } from "@gatehouse/apimachinery/log";
import { nodes } from "@gatehouse/apimachinery/types/core-v1";
import { startTestServer } from "@gatehouse/apiserver/testing";
import { createNodeRegistration } from "@gatehouse/kubelet/node/node-registration";

test("a node keeps its identity with its pod range, and is made anew with another; what users added stays", async (t) => {
  const server = await startTestServer();
  t.after(() => server.close());
  const client = await server.client();
  const register = async (podCIDR: string) => {
    const registration = createNodeRegistration({
      client,
      log: createLog("test", () => {}),
      nodeName: "node",
      nodeIP: podCIDR.replace("0.0/16", "0.1"),
      podCIDR,
      kubeletPort: 10250,
      images: [],
    });
    await registration.register();
    registration.stop();
    return client.get(nodes, "node");
  };
  const first = await register("127.16.0.0/16");
  await client.patch(nodes, { name: "node" }, "merge", { metadata: { labels: { mine: "kept" } } });
  const again = await register("127.16.0.0/16");
  assert.equal(again.metadata.uid, first.metadata.uid);
  const moved = await register("127.17.0.0/16");
  assert.notEqual(moved.metadata.uid, first.metadata.uid);
  assert.equal(moved.spec?.podCIDR, "127.17.0.0/16");
  assert.equal(moved.status?.addresses?.[0]?.address, "127.17.0.1");
  assert.equal(moved.metadata.labels?.mine, "kept");
});
