// What ConfigMaps and Secrets share: valid keys, the size limit, and what `immutable: true` freezes.

import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { forbiddenField, invalidValue } from "../schema/field-cause.ts";
import { dataKeyFaults } from "./names.ts";

const maxBytes = 1024 * 1024;

/** Causes for the maps named in `fields`; `encoded` says that their values are base64. */
export function dataCauses(
  maps: Record<string, Record<string, string> | undefined>,
  encoded: (field: string) => boolean,
): StatusCause[] {
  const causes: StatusCause[] = [];
  let total = 0;
  for (const [field, map] of Object.entries(maps)) {
    for (const [key, value] of Object.entries(map ?? {})) {
      total += Buffer.byteLength(value, encoded(field) ? "base64" : "utf8");
      causes.push(...dataKeyFaults(key).map((fault) => invalidValue(`${field}[${key}]`, key, fault)));
    }
  }
  if (total > maxBytes) {
    causes.push({
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${maxBytes} bytes`,
      field: "data",
    });
  }
  return causes;
}

/** Causes for changes to what was declared immutable. */
export function frozenCauses(object: KubeObject, old: KubeObject | undefined, fields: string[]): StatusCause[] {
  if (!old?.immutable) return [];
  const rule = "field is immutable when `immutable` is set";
  return ["immutable", ...fields]
    .filter((field) => !isDeepStrictEqual(object[field], old[field]))
    .map((field) => forbiddenField(field, rule));
}
