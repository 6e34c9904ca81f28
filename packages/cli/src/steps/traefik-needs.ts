// Which Gateway API definitions a Traefik waits for: without them it runs, is ready, and serves nothing, without a word.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { customResourceDefinitions } from "../well-known-types.ts";

/** Traefik 3.7 waits for TLSRoute v1, whatever its flags are (traefik: pkg/provider/kubernetes/gateway, WatchAll). */
const firstThatWaits = { major: 3, minor: 7 };
const definition = "tlsroutes.gateway.networking.k8s.io";

/**
 * Why this Traefik (`3.7.11`, with or without `v`) would serve nothing on this cluster; undefined when it is not known to
 * wait for anything. A version that is no number (`dev`, `latest`) is not.
 */
export async function whyTraefikWaits(client: ApiClient, version: string): Promise<string | undefined> {
  const [, major = 0, minor = 0] = (/^v?(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
  if (major < firstThatWaits.major || (major === firstThatWaits.major && minor < firstThatWaits.minor))
    return undefined;
  if (await servesTlsRoutes(client)) return undefined;
  return `Traefik ${version.replace(/^v/, "")} serves nothing before the cluster has TLSRoute v1, which is in the Gateway API since v1.5`;
}

async function servesTlsRoutes(client: ApiClient): Promise<boolean> {
  try {
    const { spec } = await client.get(customResourceDefinitions, definition);
    const { versions } = spec as { versions: { name: string; served: boolean }[] };
    return versions.some(({ name, served }) => name === "v1" && served);
  } catch (error) {
    if (hasReason(error, "NotFound")) return false;
    throw error;
  }
}
