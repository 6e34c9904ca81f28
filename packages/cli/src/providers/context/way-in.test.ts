import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { services } from "@gatehouse/apimachinery/types/core-v1";
import { startTestServer } from "@gatehouse/apiserver/testing";
import { applyAll } from "../../steps/apply-all.ts";
import { gatewayNamespace } from "../../steps/demo-manifests.ts";
import { loadBalancer, loadBalancerName } from "./load-balancer.ts";
import { untilWayIn } from "./way-in.ts";

const remedy =
  /: give the Service traefik\/traefik-lb one \(a load balancer such as MetalLB or cloud-provider-kind, or minikube tunnel\), then run it again$/;

test("no load balancer: what was tried, and what would help", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  const client = await cluster.client();
  await applyAll(client, [gatewayNamespace, loadBalancer]);
  const details: string[] = [];
  const found = untilWayIn(client, "theirs", 0, { detail: (text) => void details.push(text) });
  await assert.rejects(found, remedy);
  await assert.rejects(found, /^UserError: no address leads from here to the gateway \(tried: no address of a Gateway/);
  assert.deepEqual(details, []);
});

test("an address that does not answer is told while it is waited for, and taken when it does", async (t) => {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  const client = await cluster.client();
  await applyAll(client, [gatewayNamespace, loadBalancer]);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;

  const live = await client.get(services, loadBalancerName, "traefik");
  const named = (number: number) => ({
    ...live,
    spec: { ...live.spec, ports: [{ name: "web", port: number, targetPort: 80, protocol: "TCP" as const }] },
  });
  const elsewhere = await client.update(services, named(1));
  await client.updateStatus(services, { ...elsewhere, status: { loadBalancer: { ingress: [{ ip: "127.0.0.1" }] } } });
  let moved: Promise<unknown> | undefined;
  const details: string[] = [];
  const detail = (text: string): void => {
    details.push(text);
    moved ??= client
      .get(services, loadBalancerName, "traefik")
      .then((now) => client.update(services, { ...named(port), metadata: now.metadata }));
  };
  assert.deepEqual(await untilWayIn(client, "theirs", 60_000, { detail }), { host: "127.0.0.1", port });
  await moved;
  assert.match(
    details[0] ?? "",
    /^waiting for an address that answers \(tried: load balancer of Service traefik\/traefik-lb: 127\.0\.0\.1:1 \(ECONNREFUSED\)/,
  );
});
