// Where writes meet admission policies. The rules themselves are loaded with the first policy: most clusters have none.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ApiContext, ResourceRequest } from "../api-context.ts";
import type { AdmissionAttributes } from "./admission-attributes.ts";
import type * as PolicyRules from "./policy-rules.ts";
import { type Operation, policyGroup, policyResource } from "./policy-types.ts";

/** What is asked for, and by whom; without an identity it is the server's own. */
type Request = Pick<ResourceRequest, "definition" | "query" | "warnings"> &
  Partial<Pick<ResourceRequest, "identity" | "verb">>;

let loaded: typeof PolicyRules | undefined;

/** Must be awaited before policies are written, and at the start of a server whose state has some. */
export async function loadPolicyRules(): Promise<void> {
  loaded ??= await import("./policy-rules.ts");
}

/** The rules, once they are loaded. */
export function policyRules(): typeof PolicyRules {
  if (!loaded) throw new Error("admission policies are in use, but their rules were not loaded");
  return loaded;
}

/** True for the kinds whose writes need the rules. */
export function isPolicyGroup({ type }: { type: { group: string } }): boolean {
  return type.group === policyGroup;
}

/** What a write does, for `admitByPolicies`. */
interface Change {
  operation: Operation;
  object?: KubeObject | undefined;
  old?: KubeObject | undefined;
  subresource?: string | undefined;
  kind?: AdmissionAttributes["kind"];
}

/** Throws a 422 (or what a policy says) when an admission policy denies the write. The server's own writes are exempt. */
export function admitByPolicies(context: ApiContext, request: Request, change: Change): void {
  const { definition, identity, query, warnings } = request;
  if (!identity || context.store.count(policyResource) === 0 || isPolicyGroup(definition)) return;
  const { operation, object, old, kind } = change;
  const { name, namespace } = (object ?? old ?? { metadata: { name: "" } }).metadata;
  const isNamespace = definition.type.group === "" && definition.type.plural === "namespaces";
  const dryRun = query.getAll("dryRun");
  policyRules().enforcePolicies(context, {
    definition,
    operation,
    subresource: change.subresource ?? "",
    identity,
    namespace: isNamespace ? name : namespace,
    name,
    object,
    old,
    ...(kind ? { kind } : {}),
    options: optionsOf(request, operation, dryRun),
    dryRun: dryRun.length > 0,
    warnings,
  });
}

function optionsOf({ query, verb }: Request, operation: Operation, dryRun: string[]): Record<string, unknown> {
  const kinds = { CREATE: "CreateOptions", UPDATE: verb === "patch" ? "PatchOptions" : "UpdateOptions" };
  const text = (name: string): Record<string, string> => {
    const value = query.get(name);
    return value ? { [name]: value } : {};
  };
  return {
    kind: operation === "DELETE" ? "DeleteOptions" : kinds[operation],
    apiVersion: "meta.k8s.io/v1",
    ...(dryRun.length > 0 ? { dryRun } : {}),
    ...text("fieldManager"),
    ...text("fieldValidation"),
    ...(operation === "DELETE" ? text("propagationPolicy") : {}),
  };
}
