// The objects one pod refers to, by name, followed for as long as the pod lives here.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import {
  type ConfigMap,
  configMaps,
  type Pod,
  type Secret,
  secrets,
  type ServiceAccount,
  serviceAccounts,
} from "@gatehouse/apimachinery/types/core-v1";
import { projectedSources } from "../volumes/volume-payload.ts";
import type { FollowedObject, ObjectSources } from "./object-sources.ts";

export interface PodObjects {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  serviceAccount(): ServiceAccount | undefined;
  release(): void;
}

/** The names of the ConfigMaps and Secrets in the pod's volumes and environments. */
export function referencesOf(pod: Pod): { configMaps: Set<string>; secrets: Set<string> } {
  const found = { configMaps: new Set<string>(), secrets: new Set<string>() };
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.configMap) found.configMaps.add(volume.configMap.name);
    if (volume.secret) found.secrets.add(volume.secret.secretName);
    for (const source of projectedSources(volume)) {
      if (source.configMap) found.configMaps.add(source.configMap.name);
      if (source.secret) found.secrets.add(source.secret.name);
    }
  }
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    for (const source of container.envFrom ?? []) {
      if (source.configMapRef) found.configMaps.add(source.configMapRef.name);
      if (source.secretRef) found.secrets.add(source.secretRef.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      if (valueFrom?.configMapKeyRef) found.configMaps.add(valueFrom.configMapKeyRef.name);
      if (valueFrom?.secretKeyRef) found.secrets.add(valueFrom.secretKeyRef.name);
    }
  }
  return found;
}

/** Resolves when the present state of all of them is known. */
export async function followPodObjects(sources: ObjectSources, pod: Pod, onChange: () => void): Promise<PodObjects> {
  const namespace = pod.metadata.namespace ?? "";
  const names = referencesOf(pod);
  const follow = async <T extends KubeObject>(type: ResourceType<T>, wanted: Iterable<string>) => {
    const followed = await Promise.all(
      [...wanted].map(async (name) => [name, await sources.follow(type, namespace, name, onChange)] as const),
    );
    return new Map<string, FollowedObject<T>>(followed);
  };
  const account = pod.spec.serviceAccountName ?? "default";
  const [maps, followedSecrets, accounts] = await Promise.all([
    follow(configMaps, names.configMaps),
    follow(secrets, names.secrets),
    follow(serviceAccounts, [account]),
  ]);
  return {
    configMap: (name) => maps.get(name)?.current(),
    secret: (name) => followedSecrets.get(name)?.current(),
    serviceAccount: () => accounts.get(account)?.current(),
    release: () => {
      for (const map of [maps, followedSecrets, accounts]) for (const followed of map.values()) followed.release();
    },
  };
}
