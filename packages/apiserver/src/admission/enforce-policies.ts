// All policies and bindings that are about a write, and the answer to one they deny
// (apiserver admission/plugin/policy/validating/dispatcher.go).

import { StatusError } from "@gatehouse/apimachinery/status-error";
import type { ApiContext } from "../api-context.ts";
import type { AdmissionAttributes } from "./admission-attributes.ts";
import { evaluatePolicy, type Objection } from "./evaluate-policy.ts";
import { matchResources } from "./match-resources.ts";
import { collectParams, ConfigurationFault } from "./policy-params.ts";
import { programOf } from "./policy-program.ts";
import { bindingResource, type Policy, type PolicyBinding, policyResource } from "./policy-types.ts";

/** Throws what the first denying policy says; objections of bindings that only warn become warnings. */
export function enforcePolicies(context: ApiContext, write: AdmissionAttributes): void {
  let denial: StatusError | undefined;
  const bindings = [...context.store.scan(bindingResource)].map(([, stored]) => stored as PolicyBinding);
  for (const [, stored] of context.store.scan(policyResource)) {
    const policy = stored as Policy;
    const own = bindings.filter(({ spec }) => spec.policyName === policy.metadata.name);
    if (own.length === 0) continue;
    const matched = matchResources(policy.spec.matchConstraints, write, context);
    if (!matched) continue;
    for (const binding of own) {
      if (!matchResources(binding.spec.matchResources, write, context)) continue;
      for (const objection of objectionsOf(context, policy, binding, write, matched)) {
        const actions = objection.isFault ? ["Deny"] : binding.spec.validationActions;
        if (actions.includes("Warn")) {
          const who = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`;
          write.warnings.push(`Validation failed for ${who}: ${objection.message}`);
        }
        if (actions.includes("Deny")) denial ??= refusal(write, policy, objection, objection.binding);
      }
    }
  }
  if (denial) throw denial;
}

type Finding = Objection & {
  /** True when policy or binding cannot be used: that denies whatever the binding says. */
  isFault?: boolean;
  /** Undefined when the policy itself is at fault. */
  binding: PolicyBinding | undefined;
};

function objectionsOf(
  context: ApiContext,
  policy: Policy,
  binding: PolicyBinding,
  write: AdmissionAttributes,
  matched: AdmissionAttributes["definition"],
): Finding[] {
  const isNamespace = write.definition.type.group === "" && write.definition.type.kind === "Namespace";
  const namespace = isNamespace ? undefined : write.namespace;
  const namespaceObject = namespace === undefined ? undefined : context.store.get("/namespaces", namespace);
  try {
    const params = collectParams(context, policy.spec, binding.spec.paramRef, write.namespace);
    return params.flatMap((each) =>
      evaluatePolicy(programOf(policy), policy.spec, { write, matched, namespaceObject, params: each }).map(
        (objection) => ({ ...objection, binding }),
      ),
    );
  } catch (error) {
    if (!(error instanceof ConfigurationFault)) throw error;
    if (policy.spec.failurePolicy === "Ignore") return [];
    const message = `failed to configure ${error.part}: ${error.message}`;
    return [{ message, reason: "Invalid", isFault: true, binding: error.part === "policy" ? undefined : binding }];
  }
}

const codes: Record<string, number> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413 };

function refusal(
  { definition, name, object }: AdmissionAttributes,
  policy: Policy,
  { message: why, reason }: Objection,
  binding: PolicyBinding | undefined,
): StatusError {
  const by = binding ? ` with binding '${binding.metadata.name}'` : "";
  const message = `ValidatingAdmissionPolicy '${policy.metadata.name}'${by} denied request: ${why}`;
  const { group, plural } = definition.type;
  const resource = group ? `${plural}.${group}` : plural;
  const shown = name || object?.metadata.generateName || "Unknown";
  return new StatusError({
    code: codes[reason] ?? 422,
    reason,
    message: `${resource} "${shown}" is forbidden: ${message}`,
    details: { name: shown, ...(group ? { group } : {}), kind: plural, causes: [{ reason: "", message }] },
  });
}
