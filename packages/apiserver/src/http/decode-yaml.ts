// YAML from clients, within bounds: the library reads far more slowly than JSON.parse, and aliases can make a small body
// large. Loaded when the first such body comes.

import { badRequest, StatusError } from "@gatehouse/apimachinery/status-error";
import { isMap, isScalar, parseDocument, visit } from "yaml";
import { decodeJson } from "./decode-json.ts";

/** A mebibyte takes the library about a second at worst; clients that have more to say send JSON. */
const maxBytes = 1024 * 1024;
/** What aliases may make of it: as much as a JSON body may have. */
const maxExpandedLength = 3 * 1024 * 1024;

/** One YAML 1.2 document (JSON is one too). Throws 400 for what cannot be read, 413 for what is too large. */
export function decodeYaml(bytes: Buffer): unknown {
  if (bytes.length > maxBytes) throw tooLarge(`a YAML body may have ${maxBytes} bytes: send JSON instead`);
  const value = parse(bytes.toString("utf8"));
  if (!fits(value)) throw tooLarge(`its aliases expand to more than ${maxExpandedLength} bytes`);
  // Round trip: aliases become copies and everything that is not JSON is gone before anybody keeps it.
  return decodeJson(Buffer.from(JSON.stringify(value ?? null)));
}

function parse(text: string): unknown {
  try {
    // The library's own check for equal keys takes quadratic time.
    const document = parseDocument(text, { uniqueKeys: false });
    const problem = document.errors[0]?.message ?? repeatedKey(document);
    if (problem) throw new Error(problem);
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw badRequest(`the body is not valid YAML: ${(error as Error).message}`);
  }
}

function repeatedKey(document: Parameters<typeof visit>[0]): string | undefined {
  let repeated: string | undefined;
  visit(document, {
    Map: (_key, map) => {
      const seen = new Set<unknown>();
      for (const { key } of isMap(map) ? map.items : []) {
        const name = isScalar(key) ? key.value : key;
        if (seen.has(name)) repeated = `the key ${JSON.stringify(name)} stands twice in one map`;
        seen.add(name);
      }
      return repeated === undefined ? undefined : visit.BREAK;
    },
  });
  return repeated;
}

/** Walks no further than the budget allows, however often a shared part is referred to. */
function fits(value: unknown): boolean {
  let budget = maxExpandedLength;
  const walk = (node: unknown): void => {
    budget -= typeof node === "string" ? node.length + 2 : 4;
    if (budget < 0 || typeof node !== "object" || node === null) return;
    for (const [key, child] of Object.entries(node)) {
      budget -= key.length;
      walk(child);
      if (budget < 0) return;
    }
  };
  walk(value);
  return budget >= 0;
}

function tooLarge(why: string): StatusError {
  return new StatusError({ code: 413, reason: "RequestEntityTooLarge", message: `Request entity too large: ${why}` });
}
