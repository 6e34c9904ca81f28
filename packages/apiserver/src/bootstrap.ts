// What every cluster has from its first moment: the system namespaces, the roles Kubernetes ships, and the Service of this server.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ApiContext } from "./api-context.ts";
import { initialRoles } from "./auth/initial-roles.ts";
import { readObject } from "./storage/stored-objects.ts";
import { createObject } from "./verbs/create.ts";
import { admitChange, storeChange } from "./write-pipeline.ts";

const namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Creates what is missing. What is there is left as it is, but for roles of a version that did not aggregate yet. */
export function ensureInitialObjects(context: ApiContext): void {
  for (const name of namespaces) ensure(context, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  for (const object of initialRoles()) {
    const { metadata, aggregationRule } = object;
    const definition = context.registry.byKind(object.apiVersion, object.kind);
    const old = definition && readObject(context.store, definition, undefined, metadata.name);
    ensure(context, object, aggregationRule !== undefined && old?.aggregationRule === undefined);
  }
}

/** Points Service default/kubernetes and its EndpointSlice at this server. */
export function publishServer(context: ApiContext, host: string, port: number): void {
  const labels = { component: "apiserver", provider: "kubernetes" };
  const metadata = { name: "kubernetes", namespace: "default" };
  const ports = [{ name: "https", port: 443, protocol: "TCP", targetPort: port }];
  const spec = { clusterIP: "10.96.0.1", ports };
  ensure(context, { apiVersion: "v1", kind: "Service", metadata: { ...metadata, labels }, spec }, true);
  ensure(
    context,
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kubernetes" } },
      addressType: host.includes(":") ? "IPv6" : "IPv4",
      endpoints: [{ addresses: [host], conditions: { ready: true } }],
      ports: [{ name: "https", port, protocol: "TCP" }],
    },
    true,
  );
}

function ensure(context: ApiContext, object: KubeObject, replace = false): void {
  const definition = context.registry.byKind(object.apiVersion, object.kind);
  if (!definition) throw new Error(`${object.apiVersion} ${object.kind} is not served`);
  const { namespace, name } = object.metadata;
  const request = { definition, query: new URLSearchParams(), warnings: [], ...(namespace ? { namespace } : {}) };
  const old = readObject(context.store, definition, namespace, name);
  if (!old) createObject(context, request, object, false);
  else if (replace) storeChange(context, definition, old, admitChange(context, request, old, object, "object"));
}
