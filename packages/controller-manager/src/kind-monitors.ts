// Watches the metadata of every kind that can be deleted, and keeps up with kinds that come and go.

import { createInformer } from "@gatehouse/apimachinery/informer";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import type { ControllerContext } from "./controller.ts";
import { servedResources } from "./discovery.ts";
import { metadataClient } from "@gatehouse/apimachinery/metadata-client";
import type { ObjectView } from "./object-view.ts";

export interface KindMonitors {
  /** Starts watching new kinds and stops watching those no longer served; resolves when the new ones are listed (or after 10 s). */
  refresh(): Promise<void>;
  /** The resource of an owner reference's kind, if it is served. */
  resourceOf(apiVersion: string, kind: string): ResourceType | undefined;
  stop(): void;
}

type Change = { old?: KubeObject; current?: KubeObject };

/** Events come in great numbers and own nothing. */
const ignored = new Set(["/events", "events.k8s.io/events"]);

const patienceMs = 10_000;

const keyOf = (type: ResourceType): string => `${type.group}/${type.plural}`;

export function createKindMonitors(
  context: ControllerContext,
  onChange: (type: ResourceType, change: Change) => void,
): KindMonitors {
  const partial = metadataClient(context.client);
  const shared = sharedViews(context);
  const monitors = new Map<string, { ready: Promise<void>; stop: () => void }>();
  let kinds = new Map<string, ResourceType>();
  let stopped = false;

  const monitor = (type: ResourceType): { ready: Promise<void>; stop: () => void } => {
    const view = shared.get(keyOf(type));
    if (view) return { ready: Promise.resolve(), stop: view.onChange((change) => onChange(type, change)) };
    const informer = createInformer(partial, type, {
      onError: (error) => {
        // A kind whose definition was just deleted: the next refresh ends this.
        if (!hasReason(error, "NotFound")) context.log.warn(`watching ${keyOf(type)}: ${String(error)}`);
      },
    });
    informer.onChange((change) => onChange(type, change));
    return { ready: informer.start(), stop: () => informer.stop() };
  };

  return {
    refresh: async () => {
      const served = (await servedResources(context.client)).filter(
        ({ type, verbs }) =>
          !ignored.has(keyOf(type)) && ["list", "watch", "delete"].every((verb) => verbs.includes(verb)),
      );
      if (stopped) return;
      const present = new Set(served.map(({ type }) => keyOf(type)));
      for (const [key, { stop }] of monitors) {
        if (present.has(key)) continue;
        stop();
        monitors.delete(key);
      }
      kinds = new Map(served.map(({ type }) => [`${type.group}/${type.kind}`, type]));
      for (const { type } of served) if (!monitors.has(keyOf(type))) monitors.set(keyOf(type), monitor(type));
      await settled([...monitors.values()].map(({ ready }) => ready));
    },
    // Owners are found in whatever version is served: a reference outlives a version.
    resourceOf: (apiVersion, kind) => {
      const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
      return kinds.get(`${group}/${kind}`);
    },
    stop: () => {
      stopped = true;
      for (const { stop } of monitors.values()) stop();
      monitors.clear();
    },
  };
}

/** One kind that cannot be listed must not hold up all others for good: what is not seen is asked for live. */
async function settled(ready: Promise<void>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs);
  });
  await Promise.race([Promise.all(ready), enough]);
  clearTimeout(timer);
}

/** Kinds that are watched anyway need no second watch. */
function sharedViews({ view }: ControllerContext): Map<string, ObjectView> {
  const { pods, nodes, namespaces, services, serviceAccounts, deployments, replicaSets, daemonSets } = view;
  const { controllerRevisions, endpointSlices, endpoints } = view;
  const all = [pods, nodes, namespaces, services, serviceAccounts, deployments, replicaSets, daemonSets];
  const views = [...all, controllerRevisions, endpointSlices, endpoints] as unknown as ObjectView[];
  return new Map(views.map((shared) => [keyOf(shared.type), shared]));
}
