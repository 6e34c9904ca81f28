// Rules as part of a definition: they must compile against the schema they stand in (apiextensions validation, KEP-2876).

import type { Schema, ValidationRule } from "@gatehouse/apimachinery/schema";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { invalidValue, notSupported, required } from "../schema/field-cause.ts";
import { explainFault, usesOldSelf } from "./expression.ts";
import { readFieldPath } from "./field-path.ts";

const reasons = ["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"];

/** The causes for which rules of the structural schema `root`, found at `path`, cannot be used. */
export function validateCrdRules(root: Schema, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  // Marks the level where every object's own fields are known.
  checkLevel({ ...root, "x-kubernetes-group-version-kind": [] }, path, undefined, causes);
  return causes;
}

/** `loose` is the place above which values have no predecessor to compare with. */
function checkLevel(schema: Schema, path: string, loose: string | undefined, causes: StatusCause[]): void {
  for (const [index, rule] of (schema["x-kubernetes-validations"] ?? []).entries()) {
    checkRule(rule, schema, `${path}.x-kubernetes-validations[${index}]`, loose, causes);
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    checkLevel(property, `${path}.properties[${name}]`, loose, causes);
  }
  if (typeof schema.additionalProperties === "object") {
    checkLevel(schema.additionalProperties, `${path}.additionalProperties`, loose, causes);
  }
  if (!schema.items) return;
  const at = `${path}.items`;
  const isMap = schema["x-kubernetes-list-type"] === "map";
  checkLevel(schema.items, at, isMap ? loose : (loose ?? at), causes);
}

function checkRule(
  rule: ValidationRule,
  schema: Schema,
  at: string,
  loose: string | undefined,
  causes: StatusCause[],
): void {
  if (rule.rule.trim() === "") {
    causes.push(required(`${at}.rule`, "rule is not specified"));
    return;
  }
  const fault = explainFault(rule.rule, schema, "bool", rule.optionalOldSelf);
  if (fault) causes.push(invalidValue(`${at}.rule`, rule.rule, fault));
  checkMessage(rule, schema, at, causes);
  if (rule.reason !== undefined && !reasons.includes(rule.reason)) {
    causes.push(notSupported(`${at}.reason`, rule.reason, reasons));
  }
  if (rule.fieldPath !== undefined && !readFieldPath(rule.fieldPath, schema)) {
    causes.push(invalidValue(`${at}.fieldPath`, rule.fieldPath, "must be a valid path"));
  }
  if (usesOldSelf(rule.rule)) {
    if (loose !== undefined && !rule.optionalOldSelf) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${loose}`;
      causes.push(invalidValue(`${at}.rule`, rule.rule, detail));
    }
  } else if (rule.optionalOldSelf !== undefined && !fault) {
    const detail = "may not be set if oldSelf is not used in rule";
    causes.push(invalidValue(`${at}.optionalOldSelf`, rule.optionalOldSelf, detail));
  }
}

function checkMessage(rule: ValidationRule, schema: Schema, at: string, causes: StatusCause[]): void {
  const { message, messageExpression } = rule;
  if (message !== undefined && message !== "" && message.trim() === "") {
    causes.push(invalidValue(`${at}.message`, message, "must be non-empty if specified"));
  } else if (message?.trim().includes("\n")) {
    causes.push(invalidValue(`${at}.message`, message, "must not contain line breaks"));
  } else if (!message && !messageExpression && rule.rule.trim().includes("\n")) {
    causes.push(required(`${at}.message`, "message must be specified if rule contains line breaks"));
  }
  if (messageExpression === undefined || messageExpression === "") return;
  if (messageExpression.trim() === "") {
    causes.push(required(`${at}.messageExpression`, "messageExpression must be non-empty if specified"));
    return;
  }
  const fault = explainFault(messageExpression, schema, "string", rule.optionalOldSelf);
  if (fault) causes.push(invalidValue(`${at}.messageExpression`, messageExpression, `messageExpression ${fault}`));
}
