// Who makes a change, as metadata.managedFields names it.

import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import type { ResourceRequest } from "../api-context.ts";
import { invalidOption } from "../request-options.ts";
import type { Actor } from "./entries.ts";

/** Who writes. Without an identity it is the server itself. */
export type Writer = Pick<ResourceRequest, "definition" | "query"> &
  Partial<Pick<ResourceRequest, "identity" | "userAgent" | "subresource" | "verb">>;

/** The server's own name where it changes what others have made. */
const serverManager = "kube-apiserver";
const maxManagerBytes = 128;

/** What Go's unicode.IsPrint refuses. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;
const allUnprintable = new RegExp(unprintable, "gu");

/** The actor behind a write: the manager it names, or its program's name. Throws 422 for a name that cannot be one. */
export function actorOf(writer: Writer, operation: Actor["operation"]): Actor {
  const { definition, query, subresource } = writer;
  const named = query.get("fieldManager") ?? "";
  checkManagerName(named, writer.verb);
  const manager = named || (writer.identity ? programName(writer.userAgent ?? "") || "unknown" : serverManager);
  return { manager, operation, apiVersion: apiVersionOf(definition.type), ...(subresource ? { subresource } : {}) };
}

function checkManagerName(name: string, verb: Writer["verb"]): void {
  const bad = unprintable.exec(name)?.[0];
  const tooLong = Buffer.byteLength(name) > maxManagerBytes;
  if (!tooLong && bad === undefined) return;
  const cause = tooLong
    ? { reason: "FieldValueTooLong", message: `Too long: may not be more than ${maxManagerBytes} bytes` }
    : {
        reason: "FieldValueInvalid",
        message: `Invalid value: ${JSON.stringify(name)}: invalid character ${codePoint(bad ?? "")} (at position ${name.indexOf(bad ?? "")})`,
      };
  throw invalidOption(verb, { ...cause, field: "fieldManager" });
}

/** As Go's %U: U+0001. */
function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** What stands before the first slash of a User-Agent, as far as it can be printed. */
function programName(userAgent: string): string {
  const printable = (userAgent.split("/")[0] ?? "").replace(allUnprintable, "");
  return printable.slice(0, maxManagerBytes);
}
