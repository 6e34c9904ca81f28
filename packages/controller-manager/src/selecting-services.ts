// Tells which Services a pod's change concerns.

import { objectKey } from "@gatehouse/apimachinery/meta";
import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import type { Pod, Service } from "@gatehouse/apimachinery/types/core-v1";
import type { ClusterView } from "./cluster-view.ts";
import { hasManagedEndpoints } from "./endpoint-plan.ts";

/** Calls `notify` with the key of each Service that changes or that selects (or selected) a pod that changes. */
export function onEndpointsChange(view: ClusterView, notify: (key: string) => void): () => void {
  const selects = (service: Service, pod: Pod | undefined): boolean =>
    pod !== undefined &&
    matchesLabels(requirementsOf({ matchLabels: service.spec.selector ?? {} }), pod.metadata.labels);
  const subscriptions = [
    view.services.onChange(({ old, current }) => {
      const service = current ?? old;
      if (service) notify(objectKey(service));
    }),
    view.pods.onChange(({ old, current }) => {
      const namespace = (current ?? old)?.metadata.namespace ?? "";
      for (const service of view.services.inNamespace(namespace)) {
        if (!hasManagedEndpoints(service)) continue;
        if (selects(service, current) || selects(service, old)) notify(objectKey(service));
      }
    }),
  ];
  return () => subscriptions.forEach((unsubscribe) => unsubscribe());
}
