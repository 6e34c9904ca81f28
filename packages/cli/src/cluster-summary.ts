// What `up` and `status` say of a cluster: where it is and how to reach it.

import { isIP } from "node:net";
import { type PortMapping, type ProviderKind, readClusterState } from "./cluster-state.ts";
import { type ClusterFacts, type ClusterProvider, type EntryAddress, httpUrl } from "./providers/provider.ts";

export interface ClusterSummary extends ClusterFacts {
  provider: ProviderKind;
  name: string;
  context: string;
  ports: PortMapping[];
  /** Where the gateway's port 80 is reached, once it was found. */
  entry?: EntryAddress;
  urls: string[];
}

const pages = [
  { host: "whoami.localhost", path: "" },
  { host: "demo.localhost", path: "/v1" },
  { host: "demo.localhost", path: "/v2" },
  { host: "traefik.localhost", path: "/dashboard/" },
];

export async function clusterSummary(provider: ClusterProvider, wanted = { memory: false }): Promise<ClusterSummary> {
  const { kind, name, context, directory } = provider;
  const state = readClusterState(directory);
  const mapped = state?.portMappings.find(({ containerPort }) => containerPort === 80);
  const entry = state?.bare ? undefined : mapped ? { host: "127.0.0.1", port: mapped.hostPort } : state?.entry;
  return {
    provider: kind,
    name,
    context,
    ...(await provider.facts(wanted)),
    ports: state?.portMappings ?? [],
    ...(entry ? { entry, urls: demoUrls(entry) } : { urls: [] }),
  };
}

/** The demo's pages. Names under .localhost lead to this machine, so elsewhere the URL names the address. */
function demoUrls(entry: EntryAddress): string[] {
  return pages.map(
    ({ host, path }) => `${httpUrl(isLoopback(entry.host) ? host : entry.host, { hostPort: entry.port })}${path}`,
  );
}

/** The URLs as one would type them: `curl -H 'Host: ...'` where the name alone leads nowhere. */
export function typedUrls({ entry, urls }: ClusterSummary): string[] {
  if (!entry || isLoopback(entry.host)) return urls;
  return urls.map(
    (url, index) => `curl -H 'Host: ${pages[index]?.host}' ${url}${pages[index]?.path === "" ? "/" : ""}`,
  );
}

/** What the names under .localhost lead to: browsers and curl take 127.0.0.1 or ::1 (RFC 6761, 6.3). */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "127.0.0.1" || (isIP(host) === 6 && host === "::1");
}
