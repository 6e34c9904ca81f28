// What `up` and `status` say of a cluster: where it is and how to reach it.

import { isIP } from "node:net";
import { type PortMapping, type ProviderKind, readClusterState } from "./cluster-state.ts";
import { mappedEntry } from "./providers/cluster-access.ts";
import { type ClusterFacts, type ClusterProvider, type EntryAddress, httpUrl } from "./providers/provider.ts";
import { type DemoPage, demoPages } from "./steps/demo-pages.ts";

export interface ClusterSummary extends ClusterFacts {
  provider: ProviderKind;
  name: string;
  context: string;
  ports: PortMapping[];
  /** Where the gateway's port 80 is reached, once it was found. */
  entry?: EntryAddress;
  urls: string[];
}

export async function clusterSummary(provider: ClusterProvider, wanted = { memory: false }): Promise<ClusterSummary> {
  const { kind, name, context, directory } = provider;
  const state = readClusterState(directory);
  const entry = state?.bare ? undefined : (mappedEntry(state) ?? state?.entry);
  return {
    provider: kind,
    name,
    context,
    ...(await provider.facts(wanted)),
    ports: state?.portMappings ?? [],
    ...(entry ? { entry, urls: demoUrls(entry, demoPages(provider)) } : { urls: [] }),
  };
}

/** The demo's pages. Names under .localhost lead to this machine, so elsewhere the URL names the address. */
function demoUrls(entry: EntryAddress, pages: DemoPage[]): string[] {
  return pages.map(({ host, path }) => {
    const here = isLoopback(entry.host);
    return `${httpUrl(here ? host : entry.host, { hostPort: entry.port })}${here && path === "/" ? "" : path}`;
  });
}

/** The URLs as one would type them: `curl -H 'Host: ...'` where the name alone leads nowhere. */
export function typedUrls(provider: ClusterProvider, { entry, urls }: ClusterSummary): string[] {
  if (!entry || isLoopback(entry.host)) return urls;
  const pages = demoPages(provider);
  return urls.map((url, index) => `curl -H 'Host: ${pages[index]?.host}' ${url}`);
}

/** What the names under .localhost lead to: browsers and curl take 127.0.0.1 or ::1 (RFC 6761, 6.3). */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "127.0.0.1" || (isIP(host) === 6 && host === "::1");
}
