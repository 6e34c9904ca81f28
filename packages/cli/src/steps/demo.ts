// The demo as a list of visible steps over any provider: Gateway API definitions, gateway, applications, routes, and the
// proof that all of it serves.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { changeClusterState } from "../cluster-state.ts";
import type { Progress, Step } from "../progress.ts";
import { clusterIdentity } from "../providers/cluster-access.ts";
import type { ClusterProvider } from "../providers/provider.ts";
import { UserError } from "../user-error.ts";
import { applyAll } from "./apply-all.ts";
import { type DefinitionsOptions, definitionsTitle, installDefinitions } from "./definitions.ts";
import { demoNamespaces, gatewayNamespace, loadApplications, loadRoutes } from "./demo-manifests.ts";
import { demoPages } from "./demo-pages.ts";
import { reportPods } from "./pod-progress.ts";
import { lastWords } from "./last-words.ts";
import { demoObjects, untilReady } from "./readiness.ts";
import { explainCauses } from "./unready.ts";
import { verifyRequests } from "./verify-requests.ts";

/** Runs every step; each is idempotent, so that a second run finishes what a first one began. */
export async function installDemo(
  provider: ClusterProvider,
  client: ApiClient,
  progress: Progress,
  definitions: DefinitionsOptions,
): Promise<void> {
  await progress.step(definitionsTitle(definitions), (step) => installDefinitions(client, definitions, step));
  await progress.step("Install the gateway (traefik)", async (step) => {
    await applyAll(client, [gatewayNamespace]);
    await provider.installGateway(client, step);
  });
  await progress.step("Deploy whoami-v1 and whoami-v2", async () => applyAll(client, await loadApplications()));
  const routes = await loadRoutes(provider.exposesDashboard);
  await progress.step("Apply the Gateway and the HTTPRoutes", () => applyAll(client, routes));
  await progress.step("Wait until pods, Gateway and routes are ready", (step) => waitForDemo(provider, client, step));
  const entry = await progress.step("Send a request through every route", async (step) => {
    const found = await provider.entry(client, step);
    await verifyRequests(found, demoPages(provider), provider.flags, step.detail);
    return found;
  });
  const identity = await clusterIdentity(client);
  changeClusterState(provider.directory, { complete: true, entry, ...(identity ? { identity } : {}) });
}

async function waitForDemo({ readyTimeoutMs, flags }: ClusterProvider, client: ApiClient, step: Step): Promise<void> {
  const stop = reportPods(client, demoNamespaces, step);
  try {
    const unready = await untilReady(client, demoObjects, readyTimeoutMs);
    if (unready.length === 0) return;
    const causes = explainCauses(unready);
    const failure = `not ready after ${readyTimeoutMs / 1000} s: ${causes}; look with gatehouse status${flags}, then run it again`;
    throw new UserError([failure, ...(await lastWords(client, demoNamespaces))].join("\n"));
  } finally {
    stop();
  }
}
