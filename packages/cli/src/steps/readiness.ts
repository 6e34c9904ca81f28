// Waiting on real conditions, by watching: pods Ready, Gateways Programmed, routes Accepted and resolved.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { createInformer, type Informer } from "@gatehouse/apimachinery/informer";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { daemonSets, deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { pods } from "@gatehouse/apimachinery/types/core-v1";
import { gateways } from "@gatehouse/gateway-api/gateway";
import { gatewayClasses } from "@gatehouse/gateway-api/gateway-class";
import { httpRoutes } from "@gatehouse/gateway-api/http-route";
import { type Unready, unreadyObjects } from "./unready.ts";

/** A kind to wait for, in one namespace or everywhere. */
export interface Watched {
  type: ResourceType;
  namespace?: string;
}

/** What the demo consists of: other people's objects on the same cluster are not waited for. */
export const demoObjects: Watched[] = [
  { type: gatewayClasses },
  { type: gateways, namespace: "traefik" },
  { type: daemonSets, namespace: "traefik" },
  { type: pods, namespace: "traefik" },
  { type: httpRoutes, namespace: "traefik" },
  { type: deployments, namespace: "demo" },
  { type: pods, namespace: "demo" },
  { type: httpRoutes, namespace: "demo" },
];

export const allObjects: Watched[] = [gatewayClasses, gateways, daemonSets, pods, httpRoutes, deployments].map(
  (type) => ({ type }),
);

/**
 * Resolves with an empty list as soon as nothing that `matters` is unready, or after `timeoutMs` with what still is, and
 * why.
 */
export async function untilReady(
  client: ApiClient,
  watched: Watched[],
  timeoutMs: number,
  matters: (unready: Unready) => boolean = () => true,
): Promise<Unready[]> {
  const informers = watched.map(({ type, namespace }): Informer =>
    createInformer(client, type, namespace ? { namespace } : {}),
  );
  try {
    await Promise.all(informers.map((informer) => informer.start()));
    return await new Promise<Unready[]>((resolve) => {
      let unready: Unready[] = [];
      const timer = setTimeout(() => resolve(unready), timeoutMs);
      const check = (): void => {
        unready = unreadyObjects(informers.flatMap((informer) => [...informer.objects.values()])).filter(matters);
        if (unready.length > 0) return;
        clearTimeout(timer);
        resolve(unready);
      };
      for (const informer of informers) informer.onChange(check);
      check();
    });
  } finally {
    for (const informer of informers) informer.stop();
  }
}
