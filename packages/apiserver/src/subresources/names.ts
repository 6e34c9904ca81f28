// The subresources beyond status and scale, by resource: what the URL may name, and what discovery lists.

export interface SubresourceName {
  /** What the subresource takes or gives, when that is not the resource's own kind. */
  group: string;
  version: string;
  kind: string;
  verbs: string[];
}

/** Those that take the connection over, by `group/plural/subresource`. */
export const connectSubresources: ReadonlySet<string> = new Set(["/pods/attach", "/pods/exec", "/pods/portforward"]);

/** Keyed by `group/plural/subresource`, e.g. `/pods/log`. */
export const subresourceNames: Readonly<Record<string, SubresourceName>> = {
  "/namespaces/finalize": { group: "", version: "v1", kind: "Namespace", verbs: ["update"] },
  "/pods/attach": { group: "", version: "v1", kind: "PodAttachOptions", verbs: ["create", "get"] },
  "/pods/binding": { group: "", version: "v1", kind: "Binding", verbs: ["create"] },
  "/pods/eviction": { group: "policy", version: "v1", kind: "Eviction", verbs: ["create"] },
  "/pods/exec": { group: "", version: "v1", kind: "PodExecOptions", verbs: ["create", "get"] },
  "/pods/log": { group: "", version: "v1", kind: "Pod", verbs: ["get"] },
  "/pods/portforward": { group: "", version: "v1", kind: "PodPortForwardOptions", verbs: ["create", "get"] },
  "/serviceaccounts/token": { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", verbs: ["create"] },
};
