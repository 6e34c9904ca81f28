// The options that a request's query or body carries besides its object (meta/v1 CreateOptions, ListOptions and their like), and how
// Kubernetes refuses them: as faults of an object of that kind.

import { invalid, type StatusCause, type StatusError } from "@gatehouse/apimachinery/status-error";
import type { Verb } from "./resource-definition.ts";
import { notSupported } from "./schema/field-cause.ts";

/** What has options. */
interface Optioned {
  verb?: Verb;
  query: URLSearchParams;
}

const kinds: Partial<Record<Verb, string>> = {
  create: "CreateOptions",
  patch: "PatchOptions",
  delete: "DeleteOptions",
  deletecollection: "DeleteOptions",
};

/** 422 for an option that makes no sense, of the kind that goes with the verb. */
export function invalidOption(verb: Verb | undefined, cause: StatusCause): StatusError {
  const kind = (verb && kinds[verb]) ?? "UpdateOptions";
  return invalid({ group: "meta.k8s.io", kind, name: "" }, [cause]);
}

/** 422 for parameters of a list or watch that make no sense together. */
export function invalidListOption(cause: StatusCause): StatusError {
  return invalid({ group: "meta.k8s.io", kind: "ListOptions", name: "" }, [cause]);
}

/** True when the request asks for a rehearsal. Throws 422 for values other than `All`. */
export function isDryRun({ verb, query }: Optioned): boolean {
  return wantsDryRun(query.getAll("dryRun"), verb);
}

/** The same for values from a body. */
export function wantsDryRun(values: string[], verb?: Verb): boolean {
  if (values.some((value) => value !== "All")) throw invalidOption(verb, notSupported("dryRun", values, ["All"]));
  return values.length > 0;
}

export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** What is to happen to fields nobody knows. Throws 422 for values that there are not. */
export function fieldValidationOf({ verb, query }: Optioned): FieldValidation {
  const mode = query.get("fieldValidation") || "Warn";
  if (mode === "Ignore" || mode === "Warn" || mode === "Strict") return mode;
  throw invalidOption(verb, notSupported("fieldValidation", mode, ["", "Ignore", "Strict", "Warn"]));
}
