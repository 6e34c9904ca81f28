// A policy's expressions, compiled once for each stored form of the policy.

import { compileProgram, type Program, readsVariable } from "../cel/expression.ts";
import { CelSyntaxError, describeError } from "../cel/syntax.ts";
import { dyn, type Type, typeText } from "../cel/types.ts";
import { policyScope, type ScopeOptions } from "./policy-scope.ts";
import type { Policy, PolicySpec } from "./policy-types.ts";

/** An expression: what runs it, or why it cannot run. */
export type CompiledExpression = { source: string } & ({ program: Program } | { fault: string });

export interface CompiledPolicy {
  conditions: { name: string; expression: CompiledExpression }[];
  variables: { name: string; expression: CompiledExpression }[];
  validations: { expression: CompiledExpression; message: CompiledExpression | undefined }[];
  annotations: { key: string; expression: CompiledExpression }[];
}

type Result = "bool" | "string" | "null";

/** `source` where `scope` names the variables; the fault is in Kubernetes' words. Without `results` any type will do. */
export function compileExpression(
  source: string,
  scope: ReadonlyMap<string, Type>,
  results?: readonly Result[],
): CompiledExpression {
  try {
    if (readsVariable(source, "authorizer")) {
      return { source, fault: "the variable authorizer is not served here; match users by request.userInfo" };
    }
    const program = compileProgram(source, scope);
    const { kind } = program.type;
    if (!results || results.includes(kind as Result)) return { source, program };
    const wanted = results.map((result) => (result === "null" ? "null_type" : result));
    const list = wanted.length === 1 ? wanted[0] : `one of [${wanted.join(" ")}]`;
    return { source, fault: `must evaluate to ${list} but got ${typeText(program.type)}` };
  } catch (error) {
    if (!(error instanceof CelSyntaxError)) throw error;
    return { source, fault: `compilation failed: ${describeError(source, error)}` };
  }
}

/** All expressions of `spec`. */
export function compileSpec(spec: PolicySpec, options: ScopeOptions): CompiledPolicy {
  const types = new Map<string, Type>();
  const scope = policyScope(options, types);
  const variables = (spec.variables ?? []).map(({ name, expression: source }) => {
    const expression = compileExpression(source, scope);
    // Each sees those above it.
    types.set(name, "program" in expression ? expression.program.type : dyn);
    return { name, expression };
  });
  // Conditions come before the variables, and cannot use them.
  const bare = policyScope(options, new Map());
  return {
    conditions: (spec.matchConditions ?? []).map(({ name, expression }) => ({
      name,
      expression: compileExpression(expression.trim(), bare, ["bool"]),
    })),
    variables,
    validations: (spec.validations ?? []).map(({ expression, messageExpression }) => ({
      expression: compileExpression(expression, scope, ["bool"]),
      message: messageExpression ? compileExpression(messageExpression, scope, ["string"]) : undefined,
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      expression: compileExpression(valueExpression.trim(), scope, ["string", "null"]),
    })),
  };
}

const programs = new WeakMap<Policy, CompiledPolicy>();

/** The expressions of a stored policy, which never changes in place. */
export function programOf(policy: Policy): CompiledPolicy {
  const known = programs.get(policy);
  if (known) return known;
  const program = compileSpec(policy.spec, { hasParams: policy.spec.paramKind !== undefined });
  programs.set(policy, program);
  return program;
}
