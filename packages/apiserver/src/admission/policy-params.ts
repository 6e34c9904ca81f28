// The parameters a binding gives its policy (apiserver admission/plugin/policy/generic, CollectParams).

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import type { ApiContext } from "../api-context.ts";
import { present, readObject, resourceKey } from "../storage/stored-objects.ts";
import type { ParamRef, PolicySpec } from "./policy-types.ts";

/** A policy or binding that cannot be used as it stands. */
export class ConfigurationFault extends Error {
  /** What is at fault: the policy itself, or its binding. */
  readonly part: "policy" | "binding";

  constructor(part: "policy" | "binding", message: string) {
    super(message);
    this.name = "ConfigurationFault";
    this.part = part;
  }
}

/**
 * The objects to evaluate the policy with, one after the other; `[undefined]` for a policy without parameters, none when there
 * are none and that is allowed. Throws ConfigurationFault.
 */
export function collectParams(
  { registry, store }: ApiContext,
  { paramKind }: PolicySpec,
  ref: ParamRef | undefined,
  requestNamespace: string | undefined,
): (KubeObject | undefined)[] {
  if (!paramKind) return [undefined];
  const definition = registry.byKind(paramKind.apiVersion, paramKind.kind);
  if (!definition) {
    const text = `${paramKind.apiVersion}, Kind=${paramKind.kind}`;
    throw new ConfigurationFault("policy", `failed to find resource referenced by paramKind: '${text}'`);
  }
  if (!ref) return [undefined];
  const { namespaced } = definition.type;
  if (ref.namespace && !namespaced) {
    throw new ConfigurationFault("binding", "paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  }
  const namespace = namespaced ? ref.namespace || requestNamespace : undefined;
  if (namespaced && !namespace) {
    throw new ConfigurationFault(
      "binding",
      "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
    );
  }
  const found: KubeObject[] = [];
  if (ref.name) {
    const object = readObject(store, definition, namespace, ref.name);
    if (object) found.push(object);
  } else {
    const requirements = requirementsOf(ref.selector ?? {});
    for (const [, stored] of store.scan(resourceKey(definition), namespace ? `${namespace}/` : "")) {
      if (matchesLabels(requirements, stored.metadata.labels)) found.push(present(definition, stored));
    }
  }
  if (found.length === 0 && ref.parameterNotFoundAction === "Deny") {
    throw new ConfigurationFault("binding", "no params found for policy binding with `Deny` parameterNotFoundAction");
  }
  return found;
}
