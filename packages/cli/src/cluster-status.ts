// The facts behind `gatehouse status`, as plain data.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Condition, KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { daemonSets, deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { gateways } from "@gatehouse/gateway-api/gateway";
import { gatewayClasses } from "@gatehouse/gateway-api/gateway-class";
import { httpRoutes } from "@gatehouse/gateway-api/http-route";
import { readClusterState } from "./cluster-state.ts";
import { type ClusterSummary, clusterSummary } from "./cluster-summary.ts";
import type { ClusterPhase, ClusterProvider } from "./providers/provider.ts";
import { type Unready, unreadyObjects } from "./steps/unready.ts";

export interface ClusterStatus extends ClusterSummary {
  phase: ClusterPhase;
  ready: boolean;
  gateways: {
    namespace: string;
    name: string;
    class: string;
    programmed: boolean;
    addresses: string[];
    attachedRoutes: number;
  }[];
  routes: {
    namespace: string;
    name: string;
    hostnames: string[];
    parents: { gateway: string; accepted: boolean; reason: string }[];
  }[];
  pods: { namespace: string; name: string; ready: boolean; phase: string; ip: string; restarts: number }[];
  notReady: Unready[];
}

type Parent = { parentRef: { namespace?: string; name: string }; conditions?: Condition[] };

/** Never throws for a cluster that is not there or not running: that is a status too. A context that is not there is none. */
export async function collectStatus(provider: ClusterProvider): Promise<ClusterStatus> {
  const phase = await provider.phase();
  const base = { ...(await clusterSummary(provider, { memory: true })), phase };
  if (phase !== "running") {
    const reason = whyNotRunning(provider, phase);
    return {
      ...base,
      ready: false,
      gateways: [],
      routes: [],
      pods: [],
      notReady: [{ object: `cluster/${base.name}`, reason }],
    };
  }
  const client = await provider.connect();
  try {
    const types: ResourceType[] = [gatewayClasses, gateways, httpRoutes, deployments, daemonSets, pods];
    const lists = await Promise.all(types.map((type) => listOrNothing(client, type)));
    const notReady = [...unfinished(provider), ...unreadyObjects(lists.flat())];
    const [, gatewayList = [], routeList = [], , , podList = []] = lists;
    return {
      ...base,
      ready: notReady.length === 0,
      gateways: gatewayList.map(gatewayRow),
      routes: routeList.map(routeRow),
      pods: podList.map((pod) => podRow(pod as Pod)),
      notReady,
    };
  } finally {
    client.close();
  }
}

/** An installation that was cut off has nothing that could be unready. */
function unfinished({ directory, name, flags }: ClusterProvider): Unready[] {
  if (readClusterState(directory)?.complete !== false) return [];
  return [{ object: `cluster/${name}`, reason: `not all is installed: run gatehouse up${flags} again` }];
}

function whyNotRunning({ kind, flags }: ClusterProvider, phase: ClusterPhase): string {
  if (kind === "context") {
    return phase === "absent"
      ? `nothing was installed on it from here: gatehouse up${flags} does that`
      : "does not answer: see whether it runs";
  }
  if (phase === "absent") return `not there: bring it up with gatehouse up${flags}`;
  return `not running: start it with gatehouse start${flags}`;
}

/** A cluster without the Gateway API definitions simply has no such objects. */
async function listOrNothing(client: ApiClient, type: ResourceType): Promise<KubeObject[]> {
  try {
    const { items } = await client.list(type);
    return items.map((item) => ({ ...item, kind: type.kind }));
  } catch (error) {
    if (hasReason(error, "NotFound")) return [];
    throw error;
  }
}

function gatewayRow(gateway: KubeObject): ClusterStatus["gateways"][number] {
  const { spec, status } = gateway as KubeObject & {
    spec: { gatewayClassName: string };
    status?: { conditions?: Condition[]; addresses?: { value?: string }[]; listeners?: { attachedRoutes: number }[] };
  };
  return {
    ...nameOf(gateway),
    class: spec.gatewayClassName,
    programmed: isTrue(status?.conditions, "Programmed"),
    addresses: (status?.addresses ?? []).map((address) => address.value ?? ""),
    attachedRoutes: (status?.listeners ?? []).reduce((sum, listener) => sum + listener.attachedRoutes, 0),
  };
}

function routeRow(route: KubeObject): ClusterStatus["routes"][number] {
  const { spec, status } = route as KubeObject & { spec: { hostnames?: string[] }; status?: { parents?: Parent[] } };
  return {
    ...nameOf(route),
    hostnames: spec.hostnames ?? ["*"],
    parents: (status?.parents ?? []).map(({ parentRef, conditions }) => {
      const refused = conditions?.find((condition) => condition.status !== "True");
      return {
        gateway: `${parentRef.namespace ?? route.metadata.namespace}/${parentRef.name}`,
        accepted: isTrue(conditions, "Accepted"),
        reason: refused ? `${refused.reason}: ${refused.message}` : "Accepted",
      };
    }),
  };
}

function podRow(pod: Pod): ClusterStatus["pods"][number] {
  return {
    ...nameOf(pod),
    ready:
      pod.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true,
    phase: pod.metadata.deletionTimestamp ? "Terminating" : (pod.status?.phase ?? "Pending"),
    ip: pod.status?.podIP ?? "",
    restarts: (pod.status?.containerStatuses ?? []).reduce((sum, container) => sum + container.restartCount, 0),
  };
}

const nameOf = (object: KubeObject): { namespace: string; name: string } => ({
  namespace: object.metadata.namespace ?? "",
  name: object.metadata.name,
});

function isTrue(conditions: Condition[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === "True") === true;
}
