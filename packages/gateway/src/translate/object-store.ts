// All objects that the translation reads, by the keys that references use, and which of these keys a change concerns.

import { type KubeObject, objectKey } from "@gatehouse/apimachinery/meta";
import type { ConfigMap, Namespace, Secret, Service } from "@gatehouse/apimachinery/types/core-v1";
import { type EndpointSlice, serviceNameLabel } from "@gatehouse/apimachinery/types/discovery-v1";
import type { BackendTLSPolicy } from "@gatehouse/gateway-api/backend-tls-policy";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { GatewayClass } from "@gatehouse/gateway-api/gateway-class";
import type { ReferenceGrant } from "@gatehouse/gateway-api/reference-grant";
import type { XBackend } from "@gatehouse/gateway-api/x-backend";
import type { XBackendTrafficPolicy } from "@gatehouse/gateway-api/x-backend-traffic-policy";
import { type GatewayObjects, type ObjectIndex, targetedServices } from "./gateway-objects.ts";
import { GroupedObjects } from "./grouped-objects.ts";
import type { AnyListenerSet } from "./listener-sets.ts";
import { compareAge } from "./order.ts";
import type { RouteKind } from "./route-kinds.ts";

export type ObjectKind = keyof GatewayObjects;

/** As informers tell it: `old` is absent for an addition, `current` for a deletion. */
export interface ObjectChange {
  old?: KubeObject;
  current?: KubeObject;
}

/** The route kind of a collection, if it is one of routes. */
export const routeKindOf: Partial<Record<ObjectKind, RouteKind>> = {
  httpRoutes: "HTTPRoute",
  grpcRoutes: "GRPCRoute",
  tlsRoutes: "TLSRoute",
  tcpRoutes: "TCPRoute",
  udpRoutes: "UDPRoute",
};

const byName = (a: KubeObject, b: KubeObject): number => (a.metadata.name < b.metadata.name ? -1 : 1);
const inNamespace = ({ metadata }: KubeObject): string[] => [metadata.namespace ?? ""];
const ofService = ({ metadata }: EndpointSlice): string[] => [
  `${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}`,
];

export class ObjectStore implements ObjectIndex {
  /** Kinds that something has been looked up of: they need not be watched before. */
  readonly asked = new Set<"secrets" | "configMaps">();
  readonly gatewayClasses = new Map<string, GatewayClass>();
  readonly gateways = new Map<string, Gateway>();
  readonly listenerSets = new Map<string, AnyListenerSet>();
  readonly backendTLSPoliciesByKey = new Map<string, BackendTLSPolicy>();
  readonly backendTrafficPoliciesByKey = new Map<string, XBackendTrafficPolicy>();
  readonly xBackends = new Map<string, XBackend>();
  readonly #services = new Map<string, Service>();
  readonly #namespaces = new Map<string, Namespace>();
  readonly #secrets = new Map<string, Secret>();
  readonly #configMaps = new Map<string, ConfigMap>();
  /** Those that are looked up by their name only. */
  readonly #plain: Record<"services" | "namespaces" | "secrets" | "configMaps" | "xBackends", Map<string, KubeObject>> =
    {
      services: this.#services,
      namespaces: this.#namespaces,
      secrets: this.#secrets,
      configMaps: this.#configMaps,
      xBackends: this.xBackends,
    };
  readonly #slices = new GroupedObjects<EndpointSlice>(ofService, byName);
  readonly #grants = new GroupedObjects<ReferenceGrant>(inNamespace, byName);
  readonly #tlsPolicies = new GroupedObjects<BackendTLSPolicy>(targetedServices, compareAge);
  readonly #trafficPolicies = new GroupedObjects<XBackendTrafficPolicy>(targetedServices, compareAge);

  /** Takes the change over and returns the keys, as of `lookupKeys`, of lookups that may answer differently now. */
  change(kind: ObjectKind, { old, current }: ObjectChange): string[] {
    const object = current ?? old;
    if (!object || routeKindOf[kind]) return [];
    const key = kind === "listenerSets" ? `${object.kind} ${objectKey(object)}` : objectKey(object);
    switch (kind) {
      case "services":
      case "namespaces":
      case "secrets":
      case "configMaps":
      case "xBackends":
        put(this.#plain[kind], key, current);
        return [`${kind}/${key}`];
      case "endpointSlices":
        return this.#slices.put(key, current as EndpointSlice | undefined).map((group) => `${kind}/${group}`);
      case "referenceGrants":
        return this.#grants.put(key, current).map((group) => `${kind}/${group}`);
      case "backendTLSPolicies":
        put<KubeObject>(this.backendTLSPoliciesByKey, key, current);
        return this.#tlsPolicies.put(key, current as BackendTLSPolicy | undefined).map((group) => `${kind}/${group}`);
      case "backendTrafficPolicies": {
        const policy = current as XBackendTrafficPolicy | undefined;
        put(this.backendTrafficPoliciesByKey, key, policy);
        return this.#trafficPolicies.put(key, policy).map((group) => `${kind}/${group}`);
      }
      case "gatewayClasses":
      case "gateways":
      case "listenerSets":
        put<KubeObject>(this[kind], key, current);
        return [];
      default:
        return [];
    }
  }

  /** Keys, as of `describedKey`, of the policies or the object that a backend (`backendKey`) is described by. */
  describedBy(backend: string): string[] {
    const [kind, namespace = "", name = ""] = backend.split("/");
    if (kind === "XBackend") return [`xBackends/${namespace}/${name}`];
    return [
      ...this.backendTLSPolicies(namespace, name).map((policy) => `backendTLSPolicies/${objectKey(policy)}`),
      ...this.backendTrafficPolicies(namespace, name).map((policy) => `backendTrafficPolicies/${objectKey(policy)}`),
    ];
  }

  service(namespace: string, name: string): Service | undefined {
    return this.#services.get(`${namespace}/${name}`);
  }

  endpointSlices(namespace: string, serviceName: string): readonly EndpointSlice[] {
    return this.#slices.of(`${namespace}/${serviceName}`);
  }

  endpointSlice(namespace: string, name: string): EndpointSlice | undefined {
    return this.#slices.get(`${namespace}/${name}`);
  }

  referenceGrants(namespace: string): readonly ReferenceGrant[] {
    return this.#grants.of(namespace);
  }

  namespaceLabels(name: string): Record<string, string> | undefined {
    return this.#namespaces.get(name)?.metadata.labels;
  }

  secret(namespace: string, name: string): Secret | undefined {
    this.asked.add("secrets");
    return this.#secrets.get(`${namespace}/${name}`);
  }

  configMap(namespace: string, name: string): ConfigMap | undefined {
    this.asked.add("configMaps");
    return this.#configMaps.get(`${namespace}/${name}`);
  }

  backendTLSPolicies(namespace: string, serviceName: string): readonly BackendTLSPolicy[] {
    return this.#tlsPolicies.of(`${namespace}/${serviceName}`);
  }

  backendTrafficPolicies(namespace: string, serviceName: string): readonly XBackendTrafficPolicy[] {
    return this.#trafficPolicies.of(`${namespace}/${serviceName}`);
  }

  xBackend(namespace: string, name: string): XBackend | undefined {
    return this.xBackends.get(`${namespace}/${name}`);
  }
}

function put<T>(map: Map<string, T>, key: string, object: T | undefined): void {
  if (object === undefined) map.delete(key);
  else map.set(key, object);
}
