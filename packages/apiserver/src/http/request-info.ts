// What a URL asks for: a verb on a resource (or its subresource), or a path outside the resource trees.

import type { Verb } from "../resource-definition.ts";

/** `/api/v1/...` and `/apis/group/version/...` with a resource. Names are decoded. */
export interface ResourceRequestInfo {
  isResource: true;
  path: string;
  query: URLSearchParams;
  verb: Verb;
  group: string;
  version: string;
  /** Absent for cluster-scoped resources and for requests across all namespaces. */
  namespace?: string;
  plural: string;
  name?: string;
  subresource?: string;
}

export interface PathRequestInfo {
  isResource: false;
  path: string;
  query: URLSearchParams;
  /** Lower-case HTTP method, as RBAC names it for non-resource URLs. */
  verb: string;
}

export type RequestInfo = ResourceRequestInfo | PathRequestInfo;

/** Throws URIError on a malformed escape. Unknown shapes come back as paths. */
export function parseRequest(method: string, url: string): RequestInfo {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
  const plain: PathRequestInfo = { isResource: false, path, query, verb: method.toLowerCase() };
  const segments = path.split("/").slice(1).map(decodeURIComponent);
  const root = rootOf(segments);
  // A slash at the end means nothing.
  if (root && root.rest.length > 1 && root.rest.at(-1) === "") root.rest.pop();
  if (!root || root.rest.length === 0 || root.rest.includes("")) return plain;
  const { group, version } = root;
  if (root.rest[0] === "watch" && root.rest.length > 1) return oldWatch(method, plain, root) ?? plain;
  const target = targetOf(root.rest);
  const verb = target && verbOf(method, target.name, query);
  if (!target || !verb) return plain;
  return { isResource: true, path, query, verb, group, version, ...target };
}

/** `/api/v1/watch/...`, deprecated and served by Kubernetes to this day: a watch of a collection, or of one name in it. */
function oldWatch(method: string, { path, query }: PathRequestInfo, root: Root): ResourceRequestInfo | undefined {
  const target = targetOf(root.rest.slice(1));
  if (method !== "GET" || !target || target.subresource !== undefined) return undefined;
  const { name, ...collection } = target;
  if (name !== undefined) query.set("fieldSelector", `metadata.name=${name.replaceAll(/[\\,=]/g, "\\$&")}`);
  return { isResource: true, path, query, verb: "watch", group: root.group, version: root.version, ...collection };
}

interface Root {
  group: string;
  version: string;
  rest: string[];
}

function rootOf(segments: string[]): Root | undefined {
  const [tree, first = "", second = ""] = segments;
  if (tree === "api" && first !== "") return { group: "", version: first, rest: segments.slice(2) };
  if (tree === "apis" && first !== "" && second !== "")
    return { group: first, version: second, rest: segments.slice(3) };
  return undefined;
}

interface Target {
  namespace?: string;
  plural: string;
  name?: string;
  subresource?: string;
}

/** Subresources of the namespaces resource itself: any other third segment is a resource inside the namespace. */
const namespaceSubresources = new Set(["status", "finalize"]);

function targetOf(rest: string[]): Target | undefined {
  const [first = "", second, third] = rest;
  if (first === "namespaces" && second !== undefined && third !== undefined && !namespaceSubresources.has(third)) {
    return named(rest.slice(2), second);
  }
  return named(rest);
}

function named([plural = "", name, subresource, ...more]: string[], namespace?: string): Target | undefined {
  if (more.length > 0) return undefined;
  return {
    plural,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function verbOf(method: string, name: string | undefined, query: URLSearchParams): Verb | undefined {
  switch (method) {
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return name === undefined ? "deletecollection" : "delete";
    case "GET":
    case "HEAD":
      if (name !== undefined) return "get";
      return method === "GET" && isTrue(query.get("watch")) ? "watch" : "list";
    default:
      return undefined;
  }
}

/** As Kubernetes reads booleans of a query: present, be it without a value, and not a spelling of false. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== "0" && value.toLowerCase() !== "false";
}
