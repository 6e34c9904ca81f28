// Who makes a change, as metadata.managedFields names it.

import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import { invalid } from "@gatehouse/apimachinery/status-error";
import type { ResourceRequest } from "../api-context.ts";
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
  checkManagerName(named, optionsOf(writer));
  const manager = named || (writer.identity ? programName(writer.userAgent ?? "") || "unknown" : serverManager);
  return { manager, operation, apiVersion: apiVersionOf(definition.type), ...(subresource ? { subresource } : {}) };
}

/** The kind of the query's parameters, as Kubernetes names it. */
function optionsOf({ verb }: Writer): string {
  if (verb === "create") return "CreateOptions";
  return verb === "patch" ? "PatchOptions" : "UpdateOptions";
}

function checkManagerName(name: string, kind: string): void {
  const bad = unprintable.exec(name)?.[0];
  const tooLong = Buffer.byteLength(name) > maxManagerBytes;
  if (!tooLong && bad === undefined) return;
  const cause = tooLong
    ? { reason: "FieldValueTooLong", message: `Too long: may not be more than ${maxManagerBytes} bytes` }
    : {
        reason: "FieldValueInvalid",
        message: `Invalid value: ${JSON.stringify(name)}: invalid character ${JSON.stringify(bad)}`,
      };
  throw invalid({ group: "meta.k8s.io", kind, name: "" }, [{ ...cause, field: "fieldManager" }]);
}

/** What stands before the first slash of a User-Agent, as far as it can be printed. */
function programName(userAgent: string): string {
  const printable = (userAgent.split("/")[0] ?? "").replace(allUnprintable, "");
  return printable.slice(0, maxManagerBytes);
}
