// The subresources beyond status and scale, by resource: what the URL may name, and what discovery lists.

export interface SubresourceName {
  /** What the subresource takes or gives, when that is not the resource's own kind. */
  group: string;
  version: string;
  kind: string;
  verbs: string[];
}

/** Keyed by `group/plural/subresource`, e.g. `/pods/log`. */
export const subresourceNames: Readonly<Record<string, SubresourceName>> = {
  "/namespaces/finalize": { group: "", version: "v1", kind: "Namespace", verbs: ["update"] },
  "/pods/binding": { group: "", version: "v1", kind: "Binding", verbs: ["create"] },
  "/pods/eviction": { group: "policy", version: "v1", kind: "Eviction", verbs: ["create"] },
  "/pods/log": { group: "", version: "v1", kind: "Pod", verbs: ["get"] },
  "/serviceaccounts/token": { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", verbs: ["create"] },
};
