// How soon traffic follows a change: from the API server's answer to the write until a request shows the effect. One
// cluster, one client that asks again and again over a connection of its own.

import { type ApiClient, createApiClient } from "@gatehouse/apimachinery/api-client";
import { loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import { deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { pods } from "@gatehouse/apimachinery/types/core-v1";
import { gateways } from "@gatehouse/gateway-api/gateway";
import { httpRoutes } from "@gatehouse/gateway-api/http-route";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { pidOfPod, podOf, root, startTestCluster, type TestCluster } from "../system/test-cluster.ts";

type Effect = () => Promise<boolean>;

const rounds = 9;

export async function main(): Promise<void> {
  const cluster = await startTestCluster();
  try {
    const client = await createApiClient(await loadConnection(cluster.context, cluster.environment));
    const rows = await measure(cluster, client);
    client.close();
    process.stdout.write(`milliseconds from the write's answer to the effect: median (range) of ${rounds}\n\n`);
    for (const [name, values] of rows) {
      const sorted = values.toSorted((a, b) => a - b);
      const at = (share: number): string => (sorted[Math.round((sorted.length - 1) * share)] ?? 0).toFixed(1);
      process.stdout.write(`${name.padEnd(58)} ${at(0.5).padStart(7)}  (${at(0)} to ${at(1)})\n`);
    }
  } finally {
    await cluster.remove();
  }
}

async function measure(cluster: TestCluster, client: ApiClient): Promise<[string, number[]][]> {
  const results = new Map<string, number[]>();
  const time = async (name: string, write: () => Promise<unknown>, effect: Effect): Promise<void> => {
    await write();
    const answered = performance.now();
    while (!(await effect()))
      if (performance.now() - answered > 20_000) throw new Error(`${name}: no effect within 20 s`);
    results.set(name, [...(results.get(name) ?? []), performance.now() - answered]);
  };
  const status = (host: string) => async () => (await cluster.get(`http://${host}/`)).status;
  const route = { name: "whoami-host", namespace: "demo" };
  const deployment = { name: "whoami-v1", namespace: "demo" };
  const setHost = (host: string) => client.patch(httpRoutes, route, "merge", { spec: { hostnames: [host] } });
  const scale = (replicas: number) => client.patch(deployments, deployment, "merge", { spec: { replicas } });
  const gateway = parse(readFileSync(join(root, "manifests/gateway.yaml"), "utf8"));
  const onePod = async (): Promise<string> => podOf(await cluster.get("http://whoami.localhost/"));
  const podNames = async (): Promise<Set<string>> => {
    const names = new Set<string>();
    for (let index = 0; index < 6; index++) names.add(await onePod());
    return names;
  };

  for (let round = 0; round < rounds; round++) {
    const host = `renamed-${round}.localhost`;
    await time(
      "HTTPRoute changed: the new host answers",
      () => setHost(host),
      async () => (await status(host)()) === 200,
    );
    await setHost("whoami.localhost");
    await until(async () => (await status("whoami.localhost")()) === 200);

    await time(
      "Gateway deleted: 404",
      () => client.delete(gateways, "traefik-gateway", "traefik"),
      async () => (await status("whoami.localhost")()) === 404,
    );
    await time(
      "Gateway created: 200",
      () => client.create(gateways, gateway),
      async () => (await status("whoami.localhost")()) === 200,
    );

    const answering = new Set<string>();
    await time(
      "scaled from 2 to 3: the third pod answers",
      () => scale(3),
      async () => answering.add(await onePod()).size === 3,
    );
    await time(
      "scaled from 3 to 2: two pods answer",
      () => scale(2),
      async () => (await podNames()).size === 2,
    );

    const victim = [...(await podNames())][0] ?? "";
    await time(
      "pod deleted: it gets no more requests",
      () => client.delete(pods, victim, "demo"),
      async () => !(await podNames()).has(victim),
    );
    await until(async () => (await podNames()).size === 2);

    const killed = [...(await podNames())][0] ?? "";
    await time(
      "process of a pod killed: it answers again",
      async () => process.kill(await pidOfPod(killed), "SIGKILL"),
      async () => (await onePod()) === killed,
    );
  }
  return [...results];
}

async function until(effect: Effect): Promise<void> {
  while (!(await effect()));
}
