// The refusals that have no better home: their wording is what clients match on.

import { StatusError } from "@gatehouse/apimachinery/status-error";

/** 404 for a path or resource that is not served. */
export function noSuchResource(): StatusError {
  return new StatusError({
    code: 404,
    reason: "NotFound",
    message: "the server could not find the requested resource",
    details: {},
  });
}

/** 404 for a well-known resource that this cluster does not have; `why` is a sentence on that. */
export function absentResource(why: string): StatusError {
  return new StatusError({ code: 404, reason: "NotFound", message: why, details: {} });
}

/** 405 for a verb that a resource does not take. */
export function methodNotAllowed(): StatusError {
  return new StatusError({
    code: 405,
    reason: "MethodNotAllowed",
    message: "the server does not allow this method on the requested resource",
    details: {},
  });
}

/** What travels for any thrown value: its Status, or a 500 that names no internals. */
export function statusOf(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof URIError) return new StatusError({ code: 400, reason: "BadRequest", message: "malformed URL" });
  return new StatusError({
    code: 500,
    reason: "InternalError",
    message: `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`,
  });
}
