// One rule: when it applies, what it answers, and the words of its refusal.

import type { Schema, ValidationRule } from "@gatehouse/apimachinery/schema";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { duplicate, forbiddenField, invalidValue, required } from "../schema/field-cause.ts";
import { Expression, usesOldSelf } from "./expression.ts";
import { readFieldPath } from "./field-path.ts";
import { CostExceeded, costPerExpression, Meter } from "../meter.ts";
import { valueOf } from "./schema-values.ts";
import { CelSyntaxError, describeError } from "./syntax.ts";
import { CelError, none, Optional, type Value } from "./values.ts";

/** What the rules of one write found so far, and what they may still spend; negative ends the checks. */
export interface RuleFaults {
  causes: StatusCause[];
  costLeft: number;
}

const maxMessageLength = 5 * 1024;

export class Rule {
  /** True when the rule compares with the old value: then it only applies where there is one. */
  readonly usesOldSelf: boolean;
  readonly #rule: ValidationRule;
  readonly #schema: Schema;
  #expression: Expression | undefined;
  #message: Expression | undefined;

  constructor(rule: ValidationRule, schema: Schema) {
    this.#rule = rule;
    this.#schema = schema;
    this.usesOldSelf = usesOldSelf(rule.rule);
  }

  /** Adds to `faults` when `value`, found at `path`, breaks the rule or cannot be judged by it. */
  check(value: unknown, old: unknown, path: string, faults: RuleFaults): void {
    const { rule, optionalOldSelf } = this.#rule;
    const hasOld = old !== undefined && old !== null;
    if (this.usesOldSelf && !hasOld && !optionalOldSelf) return;
    try {
      this.#expression ??= new Expression(rule);
      const self = valueOf(this.#schema, value);
      const before = hasOld ? valueOf(this.#schema, old) : undefined;
      const oldSelf = optionalOldSelf ? (before === undefined ? none : new Optional(before)) : before;
      if (this.#run(this.#expression, self, oldSelf, faults) === true) return;
      const detail = this.#messageOf(self, oldSelf, faults) ?? this.#defaultMessage();
      faults.causes.push(this.#cause(path, detail));
    } catch (error) {
      faults.causes.push(invalidValue(path, this.#shown, this.#explain(error, faults)));
    }
  }

  #run(expression: Expression, self: Value, oldSelf: Value | undefined, faults: RuleFaults): Value {
    const limit = Math.min(costPerExpression, faults.costLeft);
    const meter = new Meter(limit);
    try {
      return expression.evaluate(self, oldSelf, meter);
    } finally {
      faults.costLeft -= limit - Math.max(0, meter.left);
    }
  }

  /** The text for people: the message, or the rule itself. */
  get #text(): string {
    return (this.#rule.message || this.#rule.rule).trim();
  }

  #defaultMessage(): string {
    return this.#rule.message ? this.#text : `failed rule: ${this.#text}`;
  }

  /** What messageExpression says; undefined when it says nothing useful, and the fixed message has to do. */
  #messageOf(self: Value, oldSelf: Value | undefined, faults: RuleFaults): string | undefined {
    const { messageExpression } = this.#rule;
    if (!messageExpression) return undefined;
    try {
      this.#message ??= new Expression(messageExpression);
      const message = this.#run(this.#message, self, oldSelf, faults);
      const text = typeof message === "string" ? message.trim() : "";
      return text === "" || text.includes("\n") || Buffer.byteLength(text) > maxMessageLength ? undefined : text;
    } catch (error) {
      if (error instanceof CelError || error instanceof CelSyntaxError) return undefined;
      throw error;
    }
  }

  /** Values are named by their type: all of an object would drown the message. */
  get #shown(): string {
    return this.#schema.type ?? "";
  }

  #cause(path: string, detail: string): StatusCause {
    const { fieldPath, reason } = this.#rule;
    const field = fieldPath ? (readFieldPath(fieldPath, this.#schema)?.(path) ?? path) : path;
    if (reason === "FieldValueForbidden") return forbiddenField(field, detail);
    if (reason === "FieldValueRequired") return required(field, detail);
    if (reason === "FieldValueDuplicate") return duplicate(field, this.#shown);
    return invalidValue(field, this.#shown, detail);
  }

  #explain(error: unknown, faults: RuleFaults): string {
    if (error instanceof CostExceeded) {
      const isWrite = faults.costLeft <= 0;
      faults.costLeft = -1;
      return isWrite
        ? "validation failed due to running out of cost budget, no further validation rules will be run"
        : `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${this.#text}`;
    }
    if (error instanceof CelSyntaxError) {
      return `rule compile error: compilation failed: ${describeError(this.#rule.rule, error)}`;
    }
    if (error instanceof CelError && error.message.startsWith("no such overload")) {
      return `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${this.#text}`;
    }
    if (error instanceof CelError) return `${error.message} evaluating rule: ${this.#text}`;
    // Strings and arrays beyond what the engine can hold, and recursion beyond its stack.
    if (error instanceof RangeError) return `${error.message} evaluating rule: ${this.#text}`;
    throw error;
  }
}
