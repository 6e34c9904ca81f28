// Waiting on real conditions, by watching: pods Ready, Gateways Programmed, routes Accepted and resolved.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
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
  { type: pods, namespace: "traefik" },
  { type: daemonSets, namespace: "traefik" },
  { type: pods, namespace: "demo" },
  { type: deployments, namespace: "demo" },
  { type: gatewayClasses },
  { type: gateways, namespace: "traefik" },
  { type: httpRoutes, namespace: "traefik" },
  { type: httpRoutes, namespace: "demo" },
];

export const allObjects: Watched[] = [gatewayClasses, gateways, daemonSets, pods, httpRoutes, deployments].map(
  (type) => ({ type }),
);

/** Of a bare cluster: the definitions of the others may not be there. */
export const builtInObjects: Watched[] = [daemonSets, pods, deployments].map((type) => ({ type }));

/**
 * Resolves with an empty list as soon as nothing that `matters` is unready, or after `timeoutMs` with what still is, and
 * why. One kind after the other: all have to be ready anyway, and at most one watch is open (each is a TLS connection).
 * Later kinds are judged beside the earlier ones, e.g. Gateways beside their classes.
 */
export async function untilReady(
  client: ApiClient,
  watched: Watched[],
  timeoutMs: number,
  matters: (unready: Unready) => boolean = () => true,
): Promise<Unready[]> {
  const giveUpAt = Date.now() + timeoutMs;
  const seen: KubeObject[] = [];
  for (const [index, one] of watched.entries()) {
    const isReady = (objects: KubeObject[]): boolean => !unreadyObjects([...seen, ...objects]).some(matters);
    const present = await list(client, one);
    const ready = isReady(present) ? present : await onceReady(client, one, giveUpAt - Date.now(), isReady);
    if (ready === undefined) {
      const rest = await Promise.all(watched.slice(index).map((each) => list(client, each)));
      return unreadyObjects([...seen, ...rest.flat()]).filter(matters);
    }
    seen.push(...ready);
  }
  return [];
}

async function list(client: ApiClient, { type, namespace }: Watched): Promise<KubeObject[]> {
  const { items } = await client.list(type, namespace ? { namespace } : {});
  return items.map((item) => ({ ...item, kind: type.kind }));
}

/** The objects as soon as they are ready; undefined after `timeoutMs`. */
async function onceReady(
  client: ApiClient,
  { type, namespace }: Watched,
  timeoutMs: number,
  isReady: (objects: KubeObject[]) => boolean,
): Promise<KubeObject[] | undefined> {
  const informer: Informer = createInformer(client, type, namespace ? { namespace } : {});
  try {
    await informer.start();
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), timeoutMs);
      const check = (): void => {
        const objects = [...informer.objects.values()];
        if (!isReady(objects)) return;
        clearTimeout(timer);
        resolve(objects);
      };
      informer.onChange(check);
      check();
    });
  } finally {
    informer.stop();
  }
}
