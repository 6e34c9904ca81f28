// What a DELETE asks for: the DeleteOptions of its body, or of its query.

import { badRequest } from "@gatehouse/apimachinery/status-error";
import type { ResourceRequest } from "./api-context.ts";
import { decodeBody } from "./http/decode-body.ts";
import { isTrue } from "./http/request-info.ts";
import { deleteOptions as deleteOptionsSchema } from "./kinds/types/meta.ts";
import { isTree } from "./patch/merge-patch.ts";
import { invalidOption, wantsDryRun } from "./request-options.ts";
import { decodeTyped } from "./schema/decode-typed.ts";
import { invalidValue, notSupported } from "./schema/field-cause.ts";

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: (typeof policies)[number];
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun: boolean;
}

const policies = ["Foreground", "Background", "Orphan"] as const;

/** The body wins over the query, as in Kubernetes. Throws 400 and 422 for values that make no sense. */
export async function readDeleteOptions(request: Pick<ResourceRequest, "body" | "query">): Promise<DeleteOptions> {
  const body = request.body.bytes.length === 0 ? undefined : await decodeBody(request.body);
  return deleteOptionsOf(body === undefined ? fromQuery(request.query) : body);
}

/** Checks decoded DeleteOptions. Throws 400 for what are none, 422 for values that make no sense. */
export function deleteOptionsOf(value: unknown): DeleteOptions {
  if (!isTree(value)) throw badRequest("the body must be DeleteOptions");
  const fault = decodeTyped(deleteOptionsSchema, value, "DeleteOptions");
  if (fault !== undefined) throw badRequest(fault);
  const { kind, apiVersion, orphanDependents, preconditions } = value;
  if (kind && kind !== "DeleteOptions") {
    throw badRequest(
      `no kind ${JSON.stringify(kind)} of version ${JSON.stringify(apiVersion ?? "")} are DeleteOptions`,
    );
  }
  const { propagationPolicy } = value;
  if (propagationPolicy && !isPolicy(propagationPolicy)) {
    throw invalidOption("delete", notSupported("propagationPolicy", propagationPolicy, [...policies, "nil"]));
  }
  if (propagationPolicy && typeof orphanDependents === "boolean") {
    const detail = "orphanDependents and deletionPropagation cannot be both set";
    throw invalidOption("delete", invalidValue("propagationPolicy", propagationPolicy, detail));
  }
  const policy = (propagationPolicy || byOrphaning(orphanDependents)) as DeleteOptions["propagationPolicy"];
  const grace = value["gracePeriodSeconds"] as number | null | undefined;
  const dryRun = value["dryRun"] as string[] | null | undefined;
  return {
    dryRun: wantsDryRun(dryRun ?? [], "delete"),
    // Less than no time is a second, as in Kubernetes.
    ...(grace == null ? {} : { gracePeriodSeconds: grace < 0 ? 1 : grace }),
    ...(policy ? { propagationPolicy: policy } : {}),
    ...(isTree(preconditions) ? { preconditions } : {}),
  };
}

const isPolicy = (value: unknown): boolean => policies.some((policy) => policy === value);

/** The old way to say it. */
function byOrphaning(orphanDependents: unknown): string | undefined {
  if (typeof orphanDependents !== "boolean") return undefined;
  return orphanDependents ? "Orphan" : "Background";
}

function fromQuery(query: URLSearchParams): Record<string, unknown> {
  const [grace, orphan] = [query.get("gracePeriodSeconds"), query.get("orphanDependents")];
  if (grace && !/^-?\d{1,15}$/.test(grace)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  }
  return {
    ...(grace ? { gracePeriodSeconds: Number(grace) } : {}),
    ...(orphan === null ? {} : { orphanDependents: isTrue(orphan) }),
    ...(query.get("propagationPolicy") ? { propagationPolicy: query.get("propagationPolicy") } : {}),
    dryRun: query.getAll("dryRun"),
  };
}
