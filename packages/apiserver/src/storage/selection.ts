// Which objects a list or watch wants: namespace, label selector and field selector of the query, ready to match.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { matchesLabels, parseLabelSelector, type Requirements } from "@gatehouse/apimachinery/selectors";
import { badRequest } from "@gatehouse/apimachinery/status-error";
import type { ResourceRequest } from "../api-context.ts";
import type { ResourceDefinition } from "../resource-definition.ts";

interface FieldRequirement {
  field: (object: KubeObject) => string;
  value: string;
  equal: boolean;
}

export interface Selection {
  /** Key prefix in the store: one object's key, `namespace/`, or empty for all. */
  prefix: string;
  matches(object: KubeObject): boolean;
  /** False when only the namespace narrows the selection. */
  selective: boolean;
}

/** Throws 400 for selectors that cannot be read or name unknown fields. */
export function selectionOf(request: Pick<ResourceRequest, "definition" | "namespace" | "query">): Selection {
  const { definition, namespace, query } = request;
  const labels = parseLabelSelector(query.get("labelSelector") ?? "");
  const fields = parseFieldSelector(definition, query.get("fieldSelector") ?? "");
  return {
    prefix: namespace ? `${namespace}/` : "",
    selective: labels.length > 0 || fields.length > 0,
    matches: (object) => matches(object, labels, fields),
  };
}

function matches(object: KubeObject, labels: Requirements, fields: FieldRequirement[]): boolean {
  if (labels.length > 0 && !matchesLabels(labels, object.metadata.labels)) return false;
  return fields.every(({ field, value, equal }) => (field(object) === value) === equal);
}

function parseFieldSelector(definition: ResourceDefinition, text: string): FieldRequirement[] {
  return readRequirements(text).map(({ label, value, equal }) => ({
    field: fieldOf(definition, label),
    value,
    equal,
  }));
}

/**
 * The only name that objects chosen by a field selector can have, undefined when it does not say or cannot be read.
 * Authorization asks here, as a second reading of the text could see a name in another field's value.
 */
export function exactName(text: string): string | undefined {
  try {
    return readRequirements(text).find(({ label, equal }) => label === "metadata.name" && equal)?.value;
  } catch {
    return undefined;
  }
}

function readRequirements(text: string): { label: string; value: string; equal: boolean }[] {
  if (text.trim() === "") return [];
  // A comma, an equals sign or a backslash of a value is escaped by a backslash (apimachinery fields.EscapeValue).
  return (text.match(/(?:\\.|[^,\\])+/g) ?? []).map((part) => {
    // Found by its operator: one expression for all three parts takes cubic time on many spaces.
    const operator = /!=|==?/.exec(part);
    const label = operator ? part.slice(0, operator.index).trim() : "";
    if (!operator || label === "" || label.includes("!")) {
      throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    }
    const value = part.slice(operator.index + operator[0].length);
    return { label, value: value.replace(/\\(.)/g, "$1"), equal: operator[0] !== "!=" };
  });
}

function fieldOf(definition: ResourceDefinition, label: string): (object: KubeObject) => string {
  if (label === "metadata.name") return (object) => object.metadata.name;
  if (label === "metadata.namespace") return (object) => object.metadata.namespace ?? "";
  const selectable = definition.selectableFields ?? {};
  const field = Object.hasOwn(selectable, label) ? selectable[label] : undefined;
  if (!field) throw badRequest(unknownField(definition, label));
  return field;
}

/** Kinds with no fields of their own name what there is. */
function unknownField({ selectableFields }: ResourceDefinition, label: string): string {
  if (Object.keys(selectableFields ?? {}).length > 0) return `field label not supported: ${label}`;
  return `${JSON.stringify(label)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}
