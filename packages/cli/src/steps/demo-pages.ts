// What the demo shows: the pages whose URLs are printed, and which are asked at the end of `up`.

import type { ClusterProvider } from "../providers/provider.ts";

export interface DemoPage {
  host: string;
  path: string;
}

const applications: DemoPage[] = [
  { host: "whoami.localhost", path: "/" },
  { host: "demo.localhost", path: "/v1" },
  { host: "demo.localhost", path: "/v2" },
];
const dashboard: DemoPage = { host: "traefik.localhost", path: "/dashboard/" };

export function demoPages({ exposesDashboard }: Pick<ClusterProvider, "exposesDashboard">): DemoPage[] {
  return exposesDashboard ? [...applications, dashboard] : applications;
}

/** For the hosts file. */
export const demoHostnames = [...new Set([...applications, dashboard].map(({ host }) => host))];
