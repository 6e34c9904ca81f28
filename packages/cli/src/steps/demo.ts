// The demo as a list of visible steps over any provider: Gateway API definitions, gateway, applications, routes, and the
// proof that all of it serves.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { join } from "node:path";
import { loadManifests } from "../manifest-files.ts";
import { manifestsDirectory } from "../program-files.ts";
import type { Progress } from "../progress.ts";
import type { ClusterProvider } from "../providers/provider.ts";
import { UserError } from "../user-error.ts";
import { applyAll } from "./apply-all.ts";
import { demoObjects, untilReady } from "./readiness.ts";
import { explainUnready } from "./unready.ts";
import { verifyRequests } from "./verify-requests.ts";

const gatewayApiVersion = "v1.4.0" as const;

const readyTimeoutMs = 60_000;

const applications = ["demo-namespace.yaml", "whoami-v1.yaml", "whoami-v2.yaml"];
const routes = ["gateway.yaml", "httproute-host.yaml", "httproute-path.yaml", "httproute-dashboard.yaml"];

/** Runs every step; each is idempotent, so that a second run finishes what a first one began. */
export async function installDemo(provider: ClusterProvider, client: ApiClient, progress: Progress): Promise<void> {
  await progress.step(`Install the Gateway API definitions ${gatewayApiVersion} (standard channel)`, () =>
    applyAll(client, customResourceDefinitions({ version: gatewayApiVersion, channel: "standard" })),
  );
  await progress.step("Install the gateway (traefik)", () =>
    provider.installGateway(client, join(manifestsDirectory(), "traefik-values.yaml")),
  );
  await progress.step("Deploy whoami-v1 and whoami-v2", () => applyFiles(client, applications));
  await progress.step("Apply the Gateway and three HTTPRoutes", () => applyFiles(client, routes));
  await progress.step("Wait until pods, Gateway and routes are ready", () => waitForDemo(client));
  const entry = provider.entry(80);
  if (entry) await progress.step("Send a request through every route", (detail) => verifyRequests(entry, detail));
}

async function waitForDemo(client: ApiClient): Promise<void> {
  const unready = await untilReady(client, demoObjects, readyTimeoutMs);
  if (unready.length === 0) return;
  throw new UserError(
    `not ready after ${readyTimeoutMs / 1000} s: ${explainUnready(unready)}; look with gatehouse status and gatehouse logs, then run it again`,
  );
}

async function applyFiles(client: ApiClient, names: string[]): Promise<void> {
  const manifests = await loadManifests(names.map((name) => join(manifestsDirectory(), name)));
  await applyAll(
    client,
    manifests.map((manifest) => manifest.object),
  );
}
