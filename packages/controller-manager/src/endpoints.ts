// The Endpoints controller: the older, one-object form of a Service's endpoints, for `kubectl get endpoints` and old
// clients. It follows the slices a moment later, so that a burst of pod changes costs one write.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import {
  type EndpointAddress,
  type Endpoints,
  endpoints as endpointsType,
  type Service,
} from "@gatehouse/apimachinery/types/core-v1";
import type { Endpoint } from "@gatehouse/apimachinery/types/discovery-v1";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { type EndpointGroup, endpointGroups, hasManagedEndpoints } from "./endpoint-plan.ts";
import { canonical } from "./canonical-json.ts";
import { isNamespaceTerminating } from "./pod-control.ts";
import { onEndpointsChange } from "./selecting-services.ts";

const delayMs = 100;
const managedByLabel = "endpoints.kubernetes.io/managed-by";
const managedBy = "endpoint-controller";

export function startEndpointsController(context: ControllerContext): Controller {
  const { view } = context;
  const queue = controllerQueue("endpoints-controller", context, (key) => reconcile(context, key));
  const notify = (key: string): void => queue.addAfter(key, delayMs);
  const subscriptions = [
    onEndpointsChange(view, notify),
    view.endpoints.onChange(({ old, current }) => {
      const { namespace, name } = (current ?? old)?.metadata ?? { name: "" };
      notify(`${namespace}/${name}`);
    }),
  ];
  return {
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      await queue.stop();
    },
  };
}

async function reconcile({ client, view }: ControllerContext, key: string): Promise<void> {
  const service = view.services.get(key);
  const present = view.endpoints.get(key);
  if (!service || service.spec.type === "ExternalName") {
    // Without their Service only ours go: a user's own may have been made before it.
    if (present?.metadata.labels?.[managedByLabel] === managedBy) await remove(client, present);
    return;
  }
  if (!hasManagedEndpoints(service) || service.metadata.deletionTimestamp) return;
  const [namespace = ""] = key.split("/");
  const wanted = endpointsOf(service, endpointGroups(service, view.pods.inNamespace(namespace)));
  if (!present) {
    try {
      view.endpoints.wrote(await client.create(endpointsType, wanted));
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error;
    }
    return;
  }
  if (present.metadata.deletionTimestamp || canonical(facts(present)) === canonical(facts(wanted))) return;
  const metadata = { ...present.metadata, labels: wanted.metadata.labels ?? {} };
  try {
    view.endpoints.wrote(await client.update(endpointsType, { ...present, metadata, subsets: wanted.subsets ?? [] }));
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
  }
}

async function remove(client: ApiClient, { metadata }: Endpoints): Promise<void> {
  try {
    await client.delete(endpointsType, metadata.name, metadata.namespace);
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
  }
}

const facts = ({ metadata, subsets }: Endpoints): unknown => ({ labels: metadata.labels, subsets });

/** Pure: the Endpoints of a Service. Terminating pods are listed only where all addresses are published. */
export function endpointsOf(service: Service, groups: EndpointGroup[]): Endpoints {
  const { name, namespace = "default", labels } = service.metadata;
  const subsets = groups.flatMap(({ ports, endpoints }) => {
    const listed = endpoints.filter(({ conditions }) => conditions?.ready || !conditions?.terminating);
    const addresses = listed.filter(({ conditions }) => conditions?.ready).map(addressOf);
    const notReadyAddresses = listed.filter(({ conditions }) => !conditions?.ready).map(addressOf);
    if (listed.length === 0) return [];
    return [
      {
        ...(addresses.length > 0 ? { addresses } : {}),
        ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
        ports: ports.map(({ name: portName, port = 0, protocol = "TCP", appProtocol }) => ({
          ...(portName ? { name: portName } : {}),
          port,
          protocol,
          ...(appProtocol ? { appProtocol } : {}),
        })),
      },
    ];
  });
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      name,
      namespace,
      labels: {
        ...labels,
        [managedByLabel]: managedBy,
        ...(service.spec.clusterIP === "None" ? { "service.kubernetes.io/headless": "" } : {}),
      },
    },
    subsets,
  };
}

function addressOf({ addresses, nodeName, targetRef, hostname }: Endpoint): EndpointAddress {
  return {
    ip: addresses[0] ?? "",
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(targetRef ? { targetRef } : {}),
  };
}
