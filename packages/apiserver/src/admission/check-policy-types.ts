// The check of a policy's expressions against the schemas of the kinds it is for: its findings are warnings in the status
// (apiserver admission/plugin/policy/validating/typechecking.go).

import type { Schema } from "@gatehouse/apimachinery/schema";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import { dyn, type Type, typeOfSchema } from "../cel/types.ts";
import type { Registry } from "../registry.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { compileSpec, type CompiledExpression } from "./policy-program.ts";
import type { Policy, PolicySpec, ResourceRule } from "./policy-types.ts";

const maxKinds = 10;

interface Warning {
  fieldRef: string;
  warning: string;
}

/** Sets the result in the status of `policy`, in place. */
export function checkPolicyTypes(registry: Registry, policy: Policy): void {
  const warnings = warningsOf(registry, policy.spec);
  policy.status = {
    observedGeneration: policy.metadata.generation ?? 1,
    typeChecking: warnings.length > 0 ? { expressionWarnings: warnings } : {},
  };
}

function warningsOf(registry: Registry, spec: PolicySpec): Warning[] {
  const { paramKind } = spec;
  const paramDefinition = paramKind && registry.byKind(paramKind.apiVersion, paramKind.kind);
  const params = paramDefinition && wholeType(paramDefinition.schema);
  const found = new Map<string, string[]>();
  for (const definition of kindsOf(registry, spec)) {
    const object = wholeType(definition.schema);
    const options = { hasParams: paramKind !== undefined, object, ...(params ? { params } : {}) };
    const compiled = compileSpec(spec, options);
    const note = (fieldRef: string, expression: CompiledExpression | undefined): void => {
      if (!expression || !("fault" in expression) || !expression.fault.startsWith("compilation failed: ")) return;
      const { kind } = definition.type;
      const text = `${apiVersionOf(definition.type)}, Kind=${kind}: ${expression.fault.replace("compilation failed: ", "")}\n`;
      found.set(fieldRef, [...(found.get(fieldRef) ?? []), text]);
    };
    for (const [index, { expression, message }] of compiled.validations.entries()) {
      note(`spec.validations[${index}].expression`, expression);
      note(`spec.validations[${index}].messageExpression`, message);
    }
  }
  return [...found].map(([fieldRef, texts]) => ({ fieldRef, warning: texts.join("\n") }));
}

/** With all of the metadata, of which rules in definitions only see the name. */
function wholeType(schema: Schema): Type {
  const { "x-kubernetes-group-version-kind": _, ...rest } = schema;
  return typeOfSchema(rest) ?? dyn;
}

/** The kinds that the policy's rules name; rules with wildcards name none. */
function kindsOf(registry: Registry, { matchConstraints }: PolicySpec): ResourceDefinition[] {
  const found = (matchConstraints?.resourceRules ?? []).flatMap((rule) => named(registry, rule));
  const text = ({ type: { group, version, kind } }: ResourceDefinition): string => `${group} ${version} ${kind}`;
  return [...new Set(found)].sort((a, b) => (text(a) < text(b) ? -1 : 1)).slice(0, maxKinds);
}

function named(
  registry: Registry,
  { apiGroups = [], apiVersions = [], resources = [] }: ResourceRule,
): ResourceDefinition[] {
  if ([...apiGroups, ...apiVersions].includes("*")) return [];
  return resources
    .filter((resource) => !/[*/]/.test(resource))
    .flatMap((plural) =>
      apiGroups.flatMap((group) => apiVersions.map((version) => registry.get(group, version, plural))),
    )
    .filter((definition) => definition !== undefined);
}
