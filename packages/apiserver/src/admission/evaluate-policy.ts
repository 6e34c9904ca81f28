// One policy's verdict on one write, for one set of parameters (apiserver admission/plugin/policy/validating/validator.go).

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import { dynamicValue } from "../cel/dynamic-values.ts";
import { CelError, type MapLike, type Value } from "../cel/values.ts";
import { CostExceeded, costPerExpression, costPerWrite, Meter } from "../meter.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import type { AdmissionAttributes } from "./admission-attributes.ts";
import type { CompiledExpression, CompiledPolicy } from "./policy-program.ts";
import type { PolicySpec } from "./policy-types.ts";

/** Why a write is not as the policy wants it. */
export interface Objection {
  message: string;
  /** A reason of Status. */
  reason: string;
}

export interface PolicyInput {
  write: AdmissionAttributes;
  /** The version of the resource under which the policy matched. */
  matched: ResourceDefinition;
  namespaceObject: KubeObject | undefined;
  params: KubeObject | undefined;
}

/** Units all match conditions of one policy may spend (RuntimeCELCostBudgetMatchConditions). */
const costOfConditions = 2_500_000;
const maxMessageBytes = 5 * 1024;
const outOfBudget = "validation failed due to running out of cost budget, no further validation rules will be run";

/** A failure to evaluate; `final` ends the policy's evaluation. */
class EvaluationFailure extends Error {
  readonly final: boolean;
  constructor(message: string, final: boolean) {
    super(message);
    this.name = "EvaluationFailure";
    this.final = final;
  }
}

/** The objections of a policy; none when it does not apply or all is well. */
export function evaluatePolicy(program: CompiledPolicy, spec: PolicySpec, input: PolicyInput): Objection[] {
  const failed = (error: unknown): Objection[] => {
    if (!(error instanceof EvaluationFailure)) throw error;
    return spec.failurePolicy === "Ignore" ? [] : [{ message: error.message, reason: "Invalid" }];
  };
  try {
    if (!applies(program, new Evaluation(program, input, costOfConditions))) return [];
  } catch (error) {
    return failed(error);
  }
  const evaluation = new Evaluation(program, input, costPerWrite);
  const objections: Objection[] = [];
  for (const [index, { expression, message }] of program.validations.entries()) {
    try {
      if (evaluation.run(expression) === true) continue;
      const { reason = "Invalid" } = spec.validations?.[index] ?? {};
      objections.push({ message: messageOf(evaluation, message, spec.validations?.[index]), reason });
    } catch (error) {
      objections.push(...failed(error));
      if (error instanceof EvaluationFailure && error.final) return objections;
    }
  }
  for (const { expression } of program.annotations) {
    try {
      // There is no audit log to write the note to, but a note that fails still denies.
      evaluation.run(expression);
    } catch (error) {
      objections.push(...failed(error));
    }
  }
  return objections;
}

/** One condition that is false outweighs others that fail. */
function applies({ conditions }: CompiledPolicy, evaluation: Evaluation): boolean {
  const failures: EvaluationFailure[] = [];
  for (const { expression } of conditions) {
    try {
      if (evaluation.run(expression) === false) return false;
    } catch (error) {
      if (!(error instanceof EvaluationFailure)) throw error;
      failures.push(error);
    }
  }
  if (failures.length === 0) return true;
  const messages = failures.map(({ message }) => message);
  throw new EvaluationFailure(messages.length === 1 ? (messages[0] ?? "") : `[${messages.join(", ")}]`, true);
}

function messageOf(
  evaluation: Evaluation,
  messageExpression: CompiledExpression | undefined,
  validation: { message?: string; expression: string } | undefined,
): string {
  const made = messageExpression && textOf(evaluation, messageExpression);
  return made || validation?.message?.trim() || `failed expression: ${validation?.expression.trim()}`;
}

/** Empty when the expression gives nothing that could be shown. */
function textOf(evaluation: Evaluation, expression: CompiledExpression): string {
  try {
    const value = evaluation.run(expression);
    const text = typeof value === "string" ? value.trim() : "";
    return text.includes("\n") || Buffer.byteLength(text) > maxMessageBytes ? "" : text;
  } catch (error) {
    if (!(error instanceof EvaluationFailure) || error.final) throw error;
    return "";
  }
}

/** The values of one evaluation, and what it may still cost. */
class Evaluation {
  readonly #values: Value[];
  #costLeft: number;

  constructor(program: CompiledPolicy, input: PolicyInput, budget: number) {
    this.#costLeft = budget;
    const { write, matched, namespaceObject, params } = input;
    this.#values = [
      objectValue(write.object, matched, write),
      objectValue(write.old, matched, write),
      dynamicValue(requestOf(write, matched)),
      dynamicValue(namespaceObject && { ...namespaceObject, metadata: { ...namespaceObject.metadata } }),
      new Variables(program, (expression) => this.#evaluate(expression)),
      dynamicValue(params),
    ];
  }

  /** Throws EvaluationFailure. */
  run(expression: CompiledExpression): Value {
    try {
      return this.#evaluate(expression);
    } catch (error) {
      if (error instanceof CostExceeded && this.#costLeft <= 0) throw new EvaluationFailure(outOfBudget, true);
      if (!(error instanceof CelError || error instanceof CostExceeded || error instanceof RangeError)) throw error;
      throw new EvaluationFailure(`expression '${expression.source}' resulted in error: ${error.message}`, false);
    }
  }

  #evaluate(expression: CompiledExpression): Value {
    if ("fault" in expression) throw new EvaluationFailure(`compilation error: ${expression.fault}`, false);
    const limit = Math.min(costPerExpression, this.#costLeft);
    const meter = new Meter(limit);
    try {
      return expression.program.evaluate(this.#values, meter);
    } finally {
      this.#costLeft -= limit - Math.max(0, meter.left);
    }
  }
}

/** The policy's variables: each is worked out when it is first asked for. */
class Variables implements MapLike {
  readonly kind = "object";
  readonly #expressions: Map<string, CompiledExpression>;
  readonly #evaluate: (expression: CompiledExpression) => Value;
  readonly #known = new Map<string, Value | CelError>();

  constructor({ variables }: CompiledPolicy, evaluate: (expression: CompiledExpression) => Value) {
    this.#expressions = new Map(variables.map(({ name, expression }) => [name, expression]));
    this.#evaluate = evaluate;
  }

  get size(): number {
    return this.#expressions.size;
  }

  keys(): string[] {
    return [...this.#expressions.keys()];
  }

  entry(key: Value): Value | undefined {
    return this.get(key);
  }

  get(key: Value): Value | undefined {
    const expression = typeof key === "string" ? this.#expressions.get(key) : undefined;
    if (!expression || typeof key !== "string") return undefined;
    let value = this.#known.get(key);
    if (value === undefined) {
      value = this.#attempt(key, expression);
      this.#known.set(key, value);
    }
    if (value instanceof CelError) throw value;
    return value;
  }

  #attempt(name: string, expression: CompiledExpression): Value | CelError {
    try {
      return this.#evaluate(expression);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      return new CelError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${error.message}`);
    }
  }
}

/** The object as the matched version shows it. */
function objectValue(object: KubeObject | undefined, { type }: ResourceDefinition, write: AdmissionAttributes): Value {
  if (!object) return null;
  return dynamicValue(write.kind ? object : { ...object, apiVersion: apiVersionOf(type) });
}

function requestOf(write: AdmissionAttributes, matched: ResourceDefinition): Record<string, unknown> {
  const { definition, dryRun, identity, name, namespace, operation, options, subresource } = write;
  const kindOf = ({ type: { group, version, kind } }: ResourceDefinition) => write.kind ?? { group, version, kind };
  const resourceOf = ({ type: { group, version, plural } }: ResourceDefinition) => ({
    group,
    version,
    resource: plural,
  });
  return {
    kind: kindOf(matched),
    resource: resourceOf(matched),
    ...(subresource ? { subResource: subresource, requestSubResource: subresource } : {}),
    requestKind: kindOf(definition),
    requestResource: resourceOf(definition),
    name,
    ...(namespace ? { namespace } : {}),
    operation,
    userInfo: { username: identity.user, groups: identity.groups },
    dryRun,
    options,
  };
}
