// Causes in Kubernetes' wording (apimachinery field.Error): the message is what follows `field: `.

import type { StatusCause } from "@gatehouse/apimachinery/status-error";

/** As Go prints a bad value: strings quoted, everything else as JSON. */
function shown(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

export function required(field: string, detail?: string): StatusCause {
  return {
    reason: "FieldValueRequired",
    message: detail ? `Required value: ${detail}` : "Required value",
    field,
  };
}

export function invalidValue(field: string, value: unknown, detail: string): StatusCause {
  return {
    reason: "FieldValueInvalid",
    message: `Invalid value: ${shown(value)}: ${detail}`,
    field,
  };
}

export function typeInvalid(field: string, value: unknown, detail: string): StatusCause {
  return {
    reason: "FieldValueTypeInvalid",
    message: `Invalid value: ${shown(value)}: ${detail}`,
    field,
  };
}

export function notSupported(field: string, value: unknown, supported: readonly unknown[]): StatusCause {
  const list = supported.map((item) => shown(typeof item === "string" ? item : JSON.stringify(item)));
  return {
    reason: "FieldValueNotSupported",
    message: `Unsupported value: ${shown(value)}: supported values: ${list.join(", ")}`,
    field,
  };
}

export function duplicate(field: string, value: unknown): StatusCause {
  return { reason: "FieldValueDuplicate", message: `Duplicate value: ${shown(value)}`, field };
}

export function tooLong(field: string, limit: number): StatusCause {
  const unit = limit === 1 ? "byte" : "bytes";
  return {
    reason: "FieldValueTooLong",
    message: `Too long: may not be more than ${limit} ${unit}`,
    field,
  };
}

export function tooMany(field: string, actual: number, limit: number): StatusCause {
  const unit = limit === 1 ? "item" : "items";
  return {
    reason: "FieldValueTooMany",
    message: `Too many: ${actual}: must have at most ${limit} ${unit}`,
    field,
  };
}

/** A cause when `value` is below zero. */
export function nonNegative(field: string, value: number | undefined): StatusCause[] {
  return value !== undefined && value < 0 ? [invalidValue(field, value, "must be greater than or equal to 0")] : [];
}

export function notFoundField(field: string, value: unknown): StatusCause {
  return { reason: "FieldValueNotFound", message: `Not found: ${shown(value)}`, field };
}

export function forbiddenField(field: string, detail: string): StatusCause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${detail}`, field };
}
