// A request that is to be sent to both clusters, and where in each of them it goes in.

/** Which entry of a cluster a request takes: by scheme, and by the listener's port where a listener is known. */
export interface Target {
  scheme: "http" | "https";
  listenerPort?: number;
  gateway?: { namespace: string; name: string };
}

export interface PlannedRequest {
  method: string;
  scheme: "http" | "https";
  /** As it goes into the Host header. */
  host: string;
  /** Path with query, sent as it is. */
  path: string;
  headers: Record<string, string>;
  body?: string;
  /** How often it is sent to each cluster: more than once where several backends share the requests. */
  times: number;
  /** False when `times` is too few for every backend to be met: then a missing one is only a note. */
  conclusive: boolean;
  /** Response headers that are compared beside the usual ones, in lower case. */
  responseHeaders: string[];
  ignoreBody: boolean;
  origin: string;
  /** Where it goes in; absent: by its scheme alone. */
  targets: { a?: Target; b?: Target };
}

/** `GET http://demo.localhost/v1`, with the headers that matter. */
export function requestTitle({ method, scheme, host, path, headers }: PlannedRequest): string {
  const words = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `${method} ${scheme}://${host}${path}${words.length > 0 ? ` (${words.join(", ")})` : ""}`;
}

/** What makes two requests the same one. */
export const requestKey = ({ method, scheme, host, path, headers, body }: PlannedRequest): string =>
  JSON.stringify([method, scheme, host, path, headerLines(headers), body ?? ""]);

const headerLines = (headers: Record<string, string>): string[] =>
  Object.entries(headers)
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .sort();
