// What the translation reads: all objects at one moment, and the same objects by the keys that references use.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ConfigMap, Namespace, Secret, Service } from "@gatehouse/apimachinery/types/core-v1";
import type { EndpointSlice } from "@gatehouse/apimachinery/types/discovery-v1";
import type { BackendTLSPolicy } from "@gatehouse/gateway-api/backend-tls-policy";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { GatewayClass } from "@gatehouse/gateway-api/gateway-class";
import type { GRPCRoute } from "@gatehouse/gateway-api/grpc-route";
import type { HTTPRoute } from "@gatehouse/gateway-api/http-route";
import type { ListenerSet, XListenerSet } from "@gatehouse/gateway-api/listener-set";
import type { ReferenceGrant } from "@gatehouse/gateway-api/reference-grant";
import type { StreamRoute } from "@gatehouse/gateway-api/stream-route";
import type { TLSRoute } from "@gatehouse/gateway-api/tls-route";
import type { XBackend } from "@gatehouse/gateway-api/x-backend";
import type { XBackendTrafficPolicy } from "@gatehouse/gateway-api/x-backend-traffic-policy";

/** Objects are shared with the informers: nothing here or downstream changes them. */
export interface GatewayObjects {
  gatewayClasses: Iterable<GatewayClass>;
  gateways: Iterable<Gateway>;
  listenerSets: Iterable<ListenerSet | XListenerSet>;
  httpRoutes: Iterable<HTTPRoute>;
  grpcRoutes: Iterable<GRPCRoute>;
  tlsRoutes: Iterable<TLSRoute>;
  tcpRoutes: Iterable<StreamRoute>;
  udpRoutes: Iterable<StreamRoute>;
  referenceGrants: Iterable<ReferenceGrant>;
  backendTLSPolicies: Iterable<BackendTLSPolicy>;
  backendTrafficPolicies: Iterable<XBackendTrafficPolicy>;
  xBackends: Iterable<XBackend>;
  services: Iterable<Service>;
  endpointSlices: Iterable<EndpointSlice>;
  namespaces: Iterable<Namespace>;
  /** May be empty while nothing refers to one. */
  secrets: Iterable<Secret>;
  /** May be empty while nothing refers to one. */
  configMaps: Iterable<ConfigMap>;
}

/** Lookups for everything a route, listener or policy may refer to. Keys are `namespace/name`. */
export interface ObjectIndex {
  service(namespace: string, name: string): Service | undefined;
  /** Slices of a Service, in name order. */
  endpointSlices(namespace: string, serviceName: string): readonly EndpointSlice[];
  /** Grants that live in `namespace`, the namespace of the referent. */
  referenceGrants(namespace: string): readonly ReferenceGrant[];
  namespaceLabels(name: string): Record<string, string> | undefined;
  secret(namespace: string, name: string): Secret | undefined;
  configMap(namespace: string, name: string): ConfigMap | undefined;
  /** Policies that name the Service or one of its ports, the oldest first. */
  backendTLSPolicies(namespace: string, serviceName: string): readonly BackendTLSPolicy[];
  /** Policies that name the Service, the oldest first. */
  backendTrafficPolicies(namespace: string, serviceName: string): readonly XBackendTrafficPolicy[];
  xBackend(namespace: string, name: string): XBackend | undefined;
}

/** A policy that applies to objects of its own namespace. */
export interface TargetingPolicy extends KubeObject {
  spec: { targetRefs: { group: string; kind: string; name: string; sectionName?: string }[] };
}

/** Keys of the Services that a policy names, each once. */
export function targetedServices({ metadata, spec }: TargetingPolicy): string[] {
  const services = spec.targetRefs.filter(({ group, kind }) => group === "" && kind === "Service");
  return [...new Set(services.map(({ name }) => `${metadata.namespace}/${name}`))];
}
