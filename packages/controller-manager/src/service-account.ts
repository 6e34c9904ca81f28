// What every namespace is given: the `default` ServiceAccount and the ConfigMap with the cluster's CA.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import {
  type ConfigMap,
  configMaps,
  type ServiceAccount,
  serviceAccounts,
} from "@gatehouse/apimachinery/types/core-v1";
import { rootCAConfigMap } from "./cluster-view.ts";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { isNamespaceTerminating } from "./pod-control.ts";

const description =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the " +
  "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/** `clusterCA` is PEM. */
export function startServiceAccountController(context: ControllerContext, clusterCA: string): Controller {
  const { client, view } = context;
  const queue = controllerQueue("service-account-controller", context, async (namespace) => {
    const found = view.namespaces.get(namespace);
    if (!found || found.metadata.deletionTimestamp || found.status?.phase === "Terminating") return;
    const writes: Promise<void>[] = [];
    if (!view.serviceAccounts.get(`${namespace}/default`))
      writes.push(create(client, serviceAccounts, account(namespace)));
    const present = view.rootCAs.get(`${namespace}/${rootCAConfigMap}`);
    if (!present) writes.push(create(client, configMaps, rootCA(namespace, clusterCA)));
    else if (present.data?.["ca.crt"] !== clusterCA || Object.keys(present.data).length !== 1) {
      writes.push(client.update(configMaps, { ...present, data: { "ca.crt": clusterCA } }).then(() => undefined));
    }
    await Promise.all(writes);
  });
  const subscriptions = [
    view.namespaces.onChange(({ current }) => current && queue.add(current.metadata.name)),
    view.serviceAccounts.onChange(({ old, current }) => {
      if (old && !current && old.metadata.name === "default") queue.add(old.metadata.namespace ?? "");
    }),
    view.rootCAs.onChange(({ old, current }) => queue.add((current ?? old)?.metadata.namespace ?? "")),
  ];
  return {
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      await queue.stop();
    },
  };
}

const account = (namespace: string): ServiceAccount => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: "default", namespace },
});

const rootCA = (namespace: string, clusterCA: string): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: rootCAConfigMap, namespace, annotations: { "kubernetes.io/description": description } },
  data: { "ca.crt": clusterCA },
});

/** One that is there already (not seen yet) is fine, and so is a namespace that is going or gone. */
async function create<T extends KubeObject>(client: ApiClient, type: ResourceType<T>, object: T): Promise<void> {
  try {
    await client.create(type, object);
  } catch (error) {
    const fine = hasReason(error, "AlreadyExists") || hasReason(error, "NotFound") || isNamespaceTerminating(error);
    if (!fine) throw error;
  }
}
