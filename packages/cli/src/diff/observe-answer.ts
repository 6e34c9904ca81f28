// What of an answer can be compared between clusters: status, headers that mean something, which workload answered, and
// the request as that workload saw it (whoami and the Gateway API echo server tell). Pure.

import { isMap } from "./compare-values.ts";
import type { PlannedRequest } from "./planned-request.ts";
import type { Answer, NoAnswer } from "./send-request.ts";

/** Facts by name; facts of two clusters are compared name by name. */
export type Observation = Record<string, string>;

const comparedHeaders = [
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "access-control-expose-headers",
  "access-control-max-age",
  "allow",
  "cache-control",
  "content-encoding",
  "content-type",
  "location",
  "vary",
  "www-authenticate",
];

/** Headers by which a gateway tells who asked. Their values hold addresses, so only that they are there is compared. */
const forwarded = /^(x-forwarded-|x-real-ip$|forwarded$|via$)/;
/** ... but for these two, which say how the client asked. */
const comparedForwarded = new Set(["x-forwarded-host", "x-forwarded-proto"]);
/** Headers that differ from request to request. */
const volatile = /^(x-request-id|x-envoy-.*|x-b3-.*|b3|traceparent|tracestate|connection|content-length|host)$/;

export function observe(answer: Answer | NoAnswer, planned: PlannedRequest): Observation {
  if ("failure" in answer) return { status: "no answer", failure: answer.failure };
  const facts: Observation = { status: String(answer.status) };
  for (const name of new Set([...comparedHeaders, ...planned.responseHeaders])) {
    const value = answer.headers[name];
    if (value !== undefined) facts[`header ${name}`] = normalized(name, value);
  }
  const body = answer.body.toString("utf8");
  const seen = answer.status < 400 ? (seenByWhoami(body) ?? seenInJson(body)) : undefined;
  if (seen) return { ...facts, ...factsOf(seen) };
  if (!planned.ignoreBody && isText(answer)) facts.body = body;
  return facts;
}

/** Parameters are written with and without blanks; media types in any case (RFC 9110 section 8.3.1). */
function normalized(name: string, value: string): string {
  return name === "content-type" ? value.replace(/;\s*/g, "; ").toLowerCase() : value;
}

function isText({ headers, body, truncated }: Answer): boolean {
  if (truncated || headers["content-encoding"]) return false;
  const type = headers["content-type"] ?? "text/plain";
  return /^text\/|json|xml|javascript|yaml/i.test(type) && !body.includes(0);
}

interface SeenRequest {
  backend: string;
  name?: string;
  /** `GET /v1`. */
  request: string;
  host: string;
  /** Lower-case names. */
  headers: Record<string, string>;
}

/** The plain text of traefik/whoami: facts, then the request as it arrived. */
function seenByWhoami(body: string): SeenRequest | undefined {
  const facts = body.split("\n").map((line) => line.trimEnd());
  const hostname = facts.find((line) => line.startsWith("Hostname: "));
  const requestLine = facts.findIndex((line) => / HTTP\/\d(\.\d)?$/.test(line));
  if (!hostname || requestLine < 0) return undefined;
  const name = facts.find((line) => line.startsWith("Name: "))?.slice("Name: ".length);
  const headers: Record<string, string> = {};
  for (const line of facts.slice(requestLine + 1)) {
    const [, field, value] = /^([^:\s]+): ?(.*)$/.exec(line) ?? [];
    if (field === undefined) break;
    const key = field.toLowerCase();
    headers[key] = key in headers ? `${headers[key]}, ${value}` : (value ?? "");
  }
  return {
    backend: workloadOf(hostname.slice("Hostname: ".length)),
    ...(name === undefined ? {} : { name }),
    request: (facts[requestLine] ?? "").replace(/ HTTP\/\S+$/, ""),
    host: headers.host ?? "",
    headers,
  };
}

/** The JSON of the Gateway API's echo-basic, or of whoami's `/api`. */
function seenInJson(body: string): SeenRequest | undefined {
  if (!body.startsWith("{")) return undefined;
  try {
    const seen = JSON.parse(body) as Record<string, unknown>;
    const [pod, path] = [seen.pod ?? seen.hostname, seen.path ?? seen.url];
    if (typeof pod !== "string" || typeof path !== "string" || !isMap(seen.headers)) return undefined;
    const headers = Object.entries(seen.headers).map(([key, value]) => [key.toLowerCase(), [value].flat().join(", ")]);
    return {
      backend: `${typeof seen.namespace === "string" ? `${seen.namespace}/` : ""}${workloadOf(pod)}`,
      ...(typeof seen.name === "string" ? { name: seen.name } : {}),
      request: `${String(seen.method)} ${path}`,
      host: String(seen.host),
      headers: Object.fromEntries(headers) as Record<string, string>,
    };
  } catch {
    return undefined;
  }
}

// The letters of generated names (apimachinery util/rand): no vowels, no 0, 1 or 3.
const letter = "[bcdfghjklmnpqrstvwxz2456789]";
const replicaSetPod = new RegExp(`-${letter}{6,10}-${letter}{5}$`);
const generated = new RegExp(`-${letter}{5}$`);

/** The workload of a pod name, without what its controller appended: `web-6d4cf56db6-x7k2p`, `web-x7k2p`, `web-0`. */
export function workloadOf(pod: string): string {
  for (const suffix of [replicaSetPod, generated, /-\d+$/]) if (suffix.test(pod)) return pod.replace(suffix, "");
  return pod;
}

function factsOf({ backend, name, request, host, headers }: SeenRequest): Observation {
  const facts: Observation = { backend, "backend saw": request, "backend saw host": host };
  if (name !== undefined) facts["backend name"] = name;
  for (const [field, value] of Object.entries(headers)) {
    if (volatile.test(field)) continue;
    const hidden = forwarded.test(field) && !comparedForwarded.has(field);
    facts[`backend saw ${field}`] = hidden ? "(there)" : value;
  }
  return facts;
}
