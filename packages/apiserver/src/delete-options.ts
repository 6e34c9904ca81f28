// What a DELETE asks for: the DeleteOptions of its body, or of its query.

import { badRequest } from "@gatehouse/apimachinery/status-error";
import type { ResourceRequest } from "./api-context.ts";
import { decodeBody } from "./http/decode-body.ts";
import { isDryRun } from "./write-pipeline.ts";

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: "Background" | "Foreground" | "Orphan";
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun: boolean;
}

const policies = ["Background", "Foreground", "Orphan"];

/** The body wins over the query, as in Kubernetes. Throws 400 for values that make no sense. */
export async function readDeleteOptions(request: Pick<ResourceRequest, "body" | "query">): Promise<DeleteOptions> {
  const body = request.body.bytes.length === 0 ? undefined : await decodeBody(request.body);
  return deleteOptionsOf(body === undefined ? fromQuery(request.query) : body);
}

/** Checks decoded DeleteOptions. Throws 400. */
export function deleteOptionsOf(value: unknown): DeleteOptions {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw badRequest("the body must be DeleteOptions");
  const {
    gracePeriodSeconds: grace,
    propagationPolicy,
    orphanDependents,
    preconditions,
    dryRun,
  } = value as Record<string, unknown>;
  if (grace !== undefined && grace !== null && !(Number.isSafeInteger(grace) && Number(grace) >= 0)) {
    throw badRequest(
      `DeleteOptions.gracePeriodSeconds: Invalid value: ${JSON.stringify(grace)}: must be a non-negative integer`,
    );
  }
  if (propagationPolicy != null && !policies.includes(propagationPolicy as string)) {
    throw badRequest(
      `DeleteOptions.propagationPolicy: Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: ${policies.join(", ")}`,
    );
  }
  const policy =
    propagationPolicy ?? (orphanDependents === true ? "Orphan" : orphanDependents === false ? "Background" : undefined);
  return {
    dryRun: isDryRun(Array.isArray(dryRun) ? dryRun.map(String) : []),
    ...(grace == null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy == null ? {} : { propagationPolicy: policy as "Background" }),
    ...(preconditions !== null && typeof preconditions === "object" ? { preconditions } : {}),
  };
}

function fromQuery(query: URLSearchParams): Record<string, unknown> {
  const grace = query.get("gracePeriodSeconds");
  return {
    ...(grace ? { gracePeriodSeconds: Number(grace) } : {}),
    ...(query.get("propagationPolicy") ? { propagationPolicy: query.get("propagationPolicy") } : {}),
    dryRun: query.getAll("dryRun"),
  };
}
