// The ConfigMaps, Secrets and ServiceAccounts that pods refer to, each watched by name while some pod needs it:
// a kubelet sees only what its pods use, and mounted volumes follow within milliseconds.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { createInformer, type Informer } from "@gatehouse/apimachinery/informer";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";

export interface FollowedObject<T extends KubeObject> {
  /** Undefined while the object does not exist. */
  current(): T | undefined;
  release(): void;
}

export interface ObjectSources {
  /** Resolves once the present state is known; `onChange` is called at every later change. */
  follow<T extends KubeObject>(
    type: ResourceType<T>,
    namespace: string,
    name: string,
    onChange: () => void,
  ): Promise<FollowedObject<T>>;
  stop(): void;
}

interface Source {
  informer: Informer;
  synced: Promise<void>;
  users: number;
}

export function createObjectSources(client: ApiClient, onError: (error: unknown) => void): ObjectSources {
  const sources = new Map<string, Source>();

  const sourceOf = (type: ResourceType, namespace: string, name: string): [string, Source] => {
    const key = `${type.plural}/${namespace}/${name}`;
    let source = sources.get(key);
    if (!source) {
      const informer = createInformer(client, type, { namespace, fieldSelector: `metadata.name=${name}`, onError });
      source = { informer, synced: informer.start(), users: 0 };
      sources.set(key, source);
    }
    return [key, source];
  };

  return {
    follow: async <T extends KubeObject>(
      type: ResourceType<T>,
      namespace: string,
      name: string,
      onChange: () => void,
    ): Promise<FollowedObject<T>> => {
      const [key, source] = sourceOf(type, namespace, name);
      source.users++;
      await source.synced;
      const present = source.informer.objects;
      let late = false;
      const unsubscribe = source.informer.onChange(() => {
        // Told at once of what is present already: that is no change.
        if (late) onChange();
      });
      late = true;
      return {
        current: () => present.get(`${namespace}/${name}`) as T | undefined,
        release: () => {
          unsubscribe();
          if (--source.users > 0) return;
          source.informer.stop();
          sources.delete(key);
        },
      };
    },
    stop: () => {
      for (const { informer } of sources.values()) informer.stop();
      sources.clear();
    },
  };
}
