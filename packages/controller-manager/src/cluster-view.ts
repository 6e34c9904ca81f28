// The controllers' shared picture of the cluster: one informer per kind, whoever asks.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { createInformer, type Informer, type InformerOptions } from "@gatehouse/apimachinery/informer";
import type { Log } from "@gatehouse/apimachinery/log";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import {
  controllerRevisions,
  daemonSets,
  deployments,
  replicaSets,
  statefulSets,
} from "@gatehouse/apimachinery/types/apps-v1";
import { cronJobs, jobs } from "@gatehouse/apimachinery/types/batch-v1";
import {
  configMaps,
  endpoints,
  namespaces,
  nodes,
  pods,
  serviceAccounts,
  services,
} from "@gatehouse/apimachinery/types/core-v1";
import { endpointSlices } from "@gatehouse/apimachinery/types/discovery-v1";
import { clusterRoles } from "@gatehouse/apimachinery/types/rbac-v1";
import { createObjectView, type ObjectView } from "./object-view.ts";

/** The ConfigMap that carries the cluster's CA into every namespace; the only ones the controllers watch. */
export const rootCAConfigMap = "kube-root-ca.crt";

export type ClusterView = ReturnType<typeof createClusterView>;

export function createClusterView(client: ApiClient, log: Log) {
  const informers: Pick<Informer, "start" | "stop">[] = [];
  const view = <T extends KubeObject>(type: ResourceType<T>, options: InformerOptions = {}): ObjectView<T> => {
    const onError = (error: unknown): void => log.warn(`watching ${type.plural}: ${String(error)}`);
    const informer = createInformer(client, type, { onError, ...options });
    informers.push(informer);
    return createObjectView(informer);
  };
  return {
    pods: view(pods),
    nodes: view(nodes),
    namespaces: view(namespaces),
    services: view(services),
    serviceAccounts: view(serviceAccounts),
    rootCAs: view(configMaps, { fieldSelector: `metadata.name=${rootCAConfigMap}` }),
    deployments: view(deployments),
    replicaSets: view(replicaSets),
    daemonSets: view(daemonSets),
    statefulSets: view(statefulSets),
    jobs: view(jobs),
    cronJobs: view(cronJobs),
    controllerRevisions: view(controllerRevisions),
    endpointSlices: view(endpointSlices),
    endpoints: view(endpoints),
    clusterRoles: view(clusterRoles),
    /** Resolves when every kind is listed. */
    start: async (): Promise<void> => {
      await Promise.all(informers.map((informer) => informer.start()));
    },
    stop: (): void => informers.forEach((informer) => informer.stop()),
  };
}
