// The resourceVersion parameters of reads (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).

import { badRequest, StatusError } from "@gatehouse/apimachinery/status-error";

/** Absent when the client takes any version (`0` or empty). Throws 400 when it is no number, 504 when it is of the future. */
export function requestedRevision(query: URLSearchParams, current: number): number | undefined {
  const text = query.get("resourceVersion") ?? "";
  if (text === "" || text === "0") return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
    );
  const revision = Number(text);
  if (revision > current) throw tooLarge(revision, current);
  return revision;
}

function tooLarge(revision: number, current: number): StatusError {
  return new StatusError({
    code: 504,
    reason: "Timeout",
    message: `Timeout: Too large resource version: ${revision}, current: ${current}`,
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
  });
}
