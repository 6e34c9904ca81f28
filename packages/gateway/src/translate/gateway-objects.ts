// What the translation reads: all objects at one moment, and the same objects by the keys that references use.

import { type KubeObject, objectKey } from "@gatehouse/apimachinery/meta";
import type { Namespace, Secret, Service } from "@gatehouse/apimachinery/types/core-v1";
import { type EndpointSlice, serviceNameLabel } from "@gatehouse/apimachinery/types/discovery-v1";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { GatewayClass } from "@gatehouse/gateway-api/gateway-class";
import type { HTTPRoute } from "@gatehouse/gateway-api/http-route";
import type { ReferenceGrant } from "@gatehouse/gateway-api/reference-grant";

/** Objects are shared with the informers: nothing here or downstream changes them. */
export interface GatewayObjects {
  gatewayClasses: Iterable<GatewayClass>;
  gateways: Iterable<Gateway>;
  httpRoutes: Iterable<HTTPRoute>;
  referenceGrants: Iterable<ReferenceGrant>;
  services: Iterable<Service>;
  endpointSlices: Iterable<EndpointSlice>;
  namespaces: Iterable<Namespace>;
  /** May be empty while no listener is HTTPS. */
  secrets: Iterable<Secret>;
}

/** Lookups for everything a route or listener may refer to. Keys are `namespace/name`. */
export interface ObjectIndex {
  service(namespace: string, name: string): Service | undefined;
  /** Slices of a Service, in name order. */
  endpointSlices(namespace: string, serviceName: string): readonly EndpointSlice[];
  /** Grants that live in `namespace`, the namespace of the referent. */
  referenceGrants(namespace: string): readonly ReferenceGrant[];
  namespaceLabels(name: string): Record<string, string> | undefined;
  secret(namespace: string, name: string): Secret | undefined;
}

export function indexObjects(objects: GatewayObjects): ObjectIndex {
  const services = byKey(objects.services);
  const namespaces = byKey(objects.namespaces);
  const secrets = byKey(objects.secrets);
  const grants = groupBy(objects.referenceGrants, (grant) => grant.metadata.namespace ?? "");
  const slices = groupBy(
    [...objects.endpointSlices].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
    (slice) => `${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel]}`,
  );
  return {
    service: (namespace, name) => services.get(`${namespace}/${name}`),
    endpointSlices: (namespace, serviceName) => slices.get(`${namespace}/${serviceName}`) ?? [],
    referenceGrants: (namespace) => grants.get(namespace) ?? [],
    namespaceLabels: (name) => namespaces.get(name)?.metadata.labels,
    secret: (namespace, name) => secrets.get(`${namespace}/${name}`),
  };
}

function byKey<T extends KubeObject>(objects: Iterable<T>): Map<string, T> {
  const map = new Map<string, T>();
  for (const object of objects) map.set(objectKey(object), object);
  return map;
}

function groupBy<T>(items: Iterable<T>, key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
