// Label selectors: parsing the string form of the API (`app=web,tier in (a,b),!old`) and matching both forms.

import type { LabelSelector, LabelSelectorRequirement } from "./meta.ts";
import { badRequest } from "./status-error.ts";

/** One condition. Numbers can be compared in the string form only. */
type Requirement =
  | LabelSelectorRequirement
  | (Omit<LabelSelectorRequirement, "operator"> & { operator: "Gt" | "Lt"; values: [string] });

/** A selector ready to match: every requirement must hold. An empty list matches everything. */
export type Requirements = Requirement[];

/** A qualified name: an optional DNS-1123 subdomain, then a name of at most 63 characters. */
const key =
  /^(?:(?=[^/]{1,253}\/)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\/)?(?=[^/]{1,63}$)[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const value = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

/** Parses the query-string form. Throws a 400 StatusError that quotes what could not be read. */
export function parseLabelSelector(text: string): Requirements {
  return splitOutsideParentheses(text).map((part) => parseRequirement(part.trim(), text));
}

/** The requirements of an object's `spec.selector`; an empty one selects everything. */
export function requirementsOf(selector: LabelSelector): Requirements {
  const equalities = Object.entries(selector.matchLabels ?? {}).map(([name, wanted]): LabelSelectorRequirement => ({
    key: name,
    operator: "In",
    values: [wanted],
  }));
  return [...equalities, ...(selector.matchExpressions ?? [])];
}

/** True when `labels` satisfy every requirement. NotIn also holds for an absent label, as in Kubernetes. */
export function matchesLabels(requirements: Requirements, labels: Record<string, string> | undefined): boolean {
  return requirements.every((requirement) => {
    // `constructor` is a valid label key: only own properties are labels.
    const actual = labels && Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
    return holds(requirement, actual);
  });
}

/** The query-string form of requirements. */
export function formatLabelSelector(requirements: Requirements): string {
  return requirements.map(format).join(",");
}

function format({ key: name, operator, values = [] }: Requirement): string {
  if (operator === "Gt" || operator === "Lt") return `${name}${operator === "Gt" ? ">" : "<"}${values[0]}`;
  if (operator === "Exists") return name;
  if (operator === "DoesNotExist") return `!${name}`;
  if (values.length === 1) return `${name}${operator === "In" ? "=" : "!="}${values[0]}`;
  return `${name} ${operator === "In" ? "in" : "notin"} (${values.join(",")})`;
}

function holds(requirement: Requirement, actual: string | undefined): boolean {
  switch (requirement.operator) {
    case "Exists":
      return actual !== undefined;
    case "DoesNotExist":
      return actual === undefined;
    case "In":
      return actual !== undefined && (requirement.values ?? []).includes(actual);
    case "NotIn":
      return actual === undefined || !(requirement.values ?? []).includes(actual);
    case "Gt":
      return isInteger(actual) && BigInt(actual) > BigInt(requirement.values[0]);
    case "Lt":
      return isInteger(actual) && BigInt(actual) < BigInt(requirement.values[0]);
    default:
      return false;
  }
}

/** As Go's ParseInt reads one, but for a plus sign, which no label has. */
function isInteger(text: string | undefined): text is string {
  return text !== undefined && /^-?\d{1,19}$/.test(text);
}

function splitOutsideParentheses(text: string): string[] {
  if (text.trim() === "") return [];
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (character === "," && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function parseRequirement(part: string, whole: string): Requirement {
  const comparison = /^([^<>=!\s]+)\s*([<>])\s*(\S*)$/.exec(part);
  if (comparison) return compared(comparison[1] ?? "", comparison[2] === ">" ? "Gt" : "Lt", comparison[3] ?? "", whole);
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part);
  if (set) {
    const values = (set[3] ?? "").split(",").map((item) => item.trim());
    return checked({ key: set[1] ?? "", operator: set[2] === "in" ? "In" : "NotIn", values }, whole);
  }
  const equality = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(part);
  if (equality) {
    const operator = equality[2] === "!=" ? "NotIn" : "In";
    return checked({ key: equality[1] ?? "", operator, values: [equality[3] ?? ""] }, whole);
  }
  if (part.startsWith("!")) return checked({ key: part.slice(1).trim(), operator: "DoesNotExist" }, whole);
  return checked({ key: part, operator: "Exists" }, whole);
}

function compared(name: string, operator: "Gt" | "Lt", limit: string, whole: string): Requirement {
  checked({ key: name, operator: "Exists" }, whole);
  if (isInteger(limit)) return { key: name, operator, values: [limit] };
  const why = `for 'Gt', 'Lt' operators, the value must be an integer`;
  throw badRequest(`unable to parse requirement in label selector "${whole}": ${why}`);
}

function checked(requirement: LabelSelectorRequirement, whole: string): LabelSelectorRequirement {
  if (!key.test(requirement.key)) {
    throw badRequest(
      `unable to parse requirement in label selector "${whole}": invalid label key "${requirement.key}"`,
    );
  }
  for (const item of requirement.values ?? []) {
    if (item.length > 63 || !value.test(item)) {
      throw badRequest(`unable to parse requirement in label selector "${whole}": invalid label value "${item}"`);
    }
  }
  return requirement;
}
