// The fieldPath of a rule: which field below its level the refusal points to, such as `.spec.x` or `.labels['a.b']`.

import type { Schema } from "@gatehouse/apimachinery/schema";

/** Where the path leads from a given place. */
export type PathFrom = (place: string) => string;

const segment = /\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\]/y;
const escapes: Record<string, string> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** `fieldPath` below `schema`; undefined when it names no field that the schema declares. */
export function readFieldPath(fieldPath: string, schema: Schema): PathFrom | undefined {
  let level: Schema | undefined = schema;
  let suffix = "";
  let at = 0;
  while (at < fieldPath.length) {
    segment.lastIndex = at;
    const found = segment.exec(fieldPath);
    if (!found || !level) return undefined;
    at = segment.lastIndex;
    const name = found[1] ?? (found[2] ?? "").replace(/\\(.)/g, (_, char: string) => escapes[char] ?? char);
    if (level.properties) {
      level = Object.hasOwn(level.properties, name) ? level.properties[name] : undefined;
      suffix += `.${name}`;
    } else {
      level = typeof level.additionalProperties === "object" ? level.additionalProperties : undefined;
      suffix += `[${name}]`;
    }
    if (!level) return undefined;
  }
  return suffix ? (place) => (place ? `${place}${suffix}` : suffix.replace(/^\./, "")) : undefined;
}
