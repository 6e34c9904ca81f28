// How a Service's endpoints are laid out over its EndpointSlices with few changes. Pure.

import { generatedName } from "@gatehouse/apimachinery/names";
import { controllerReference } from "@gatehouse/apimachinery/meta";
import type { Service } from "@gatehouse/apimachinery/types/core-v1";
import { type Endpoint, type EndpointSlice, serviceNameLabel } from "@gatehouse/apimachinery/types/discovery-v1";
import { type EndpointGroup, groupKey } from "./endpoint-plan.ts";
import { canonical } from "./canonical-json.ts";

export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const managedBy = "endpointslice-controller.k8s.io";
const headlessLabel = "service.kubernetes.io/headless";

/** Kubernetes' default for --max-endpoints-per-slice. */
const maxEndpoints = 100;

export interface SlicePlan {
  create: EndpointSlice[];
  update: EndpointSlice[];
  delete: EndpointSlice[];
}

/** From `present` (this controller's slices of the Service) to `groups`. One slice, maybe empty, always remains. */
export function planSlices(service: Service, groups: EndpointGroup[], present: EndpointSlice[]): SlicePlan {
  const plan: SlicePlan = { create: [], update: [], delete: [] };
  const wanted = groups.length > 0 ? groups : [{ addressType: "IPv4" as const, ports: [], endpoints: [] }];
  const unused = new Set(present.filter((slice) => slice.metadata.deletionTimestamp === undefined));
  for (const group of wanted) {
    const key = groupKey(group.addressType, group.ports);
    const reusable = [...unused].filter((slice) => groupKey(slice.addressType, slice.ports ?? []) === key);
    for (const slice of reusable) unused.delete(slice);
    planGroup(service, group, reusable, plan);
  }
  plan.delete.push(...unused);
  return recycled(plan);
}

/** A slice that would go takes the content of one that would come: one write, and clients never see neither. */
function recycled(plan: SlicePlan): SlicePlan {
  for (const slice of plan.delete.slice()) {
    const fresh = plan.create.find(({ addressType }) => addressType === slice.addressType);
    if (!fresh) continue;
    plan.create.splice(plan.create.indexOf(fresh), 1);
    plan.delete.splice(plan.delete.indexOf(slice), 1);
    const metadata = { ...slice.metadata, labels: fresh.metadata.labels ?? {} };
    plan.update.push({ ...slice, metadata, endpoints: fresh.endpoints, ports: fresh.ports ?? [] });
  }
  return plan;
}

/** Endpoints stay in the slice they are in; new ones fill the slices with room, then further slices. */
function planGroup(service: Service, group: EndpointGroup, slices: EndpointSlice[], plan: SlicePlan): void {
  const waiting = new Map(group.endpoints.map((endpoint) => [identity(endpoint), endpoint]));
  const kept = slices.map((slice) => {
    const endpoints: Endpoint[] = [];
    for (const before of slice.endpoints ?? []) {
      const endpoint = waiting.get(identity(before));
      if (!endpoint) continue;
      waiting.delete(identity(endpoint));
      endpoints.push(endpoint);
    }
    return { slice, endpoints };
  });
  const rest = [...waiting.values()];
  for (const { endpoints } of kept) endpoints.push(...rest.splice(0, maxEndpoints - endpoints.length));
  for (const [index, { slice, endpoints }] of kept.entries()) {
    const isOnlyOne = kept.length === 1 || (index === 0 && kept.every((other) => other.endpoints.length === 0));
    if (endpoints.length === 0 && !isOnlyOne) plan.delete.push(slice);
    else if (differs(service, slice, endpoints)) plan.update.push(updated(service, slice, endpoints));
  }
  if (kept.length > 0 && rest.length === 0) return;
  do plan.create.push(created(service, group, rest.splice(0, maxEndpoints)));
  while (rest.length > 0);
}

const identity = ({ targetRef, addresses }: Endpoint): string => targetRef?.uid ?? addresses.join();

function differs(service: Service, slice: EndpointSlice, endpoints: Endpoint[]): boolean {
  const facts = (labels: Record<string, string> | undefined, list: Endpoint[]): string =>
    canonical({ labels, endpoints: list });
  return facts(slice.metadata.labels, slice.endpoints ?? []) !== facts(labelsFor(service), endpoints);
}

function updated(service: Service, slice: EndpointSlice, endpoints: Endpoint[]): EndpointSlice {
  return { ...slice, metadata: { ...slice.metadata, labels: labelsFor(service) }, endpoints };
}

function created(service: Service, { addressType, ports }: EndpointGroup, endpoints: Endpoint[]): EndpointSlice {
  const stem = `${service.metadata.name}-`;
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: generatedName(stem),
      generateName: stem,
      namespace: service.metadata.namespace ?? "default",
      labels: labelsFor(service),
      ownerReferences: [controllerReference(service)],
    },
    addressType,
    endpoints,
    ports,
  };
}

/** The Service's own labels are shown on its slices too, as Kubernetes does. */
function labelsFor(service: Service): Record<string, string> {
  return {
    ...service.metadata.labels,
    ...(service.spec.clusterIP === "None" ? { [headlessLabel]: "" } : {}),
    [serviceNameLabel]: service.metadata.name,
    [managedByLabel]: managedBy,
  };
}
