// An HTTPRoute as its author thinks of it: who asked, what is matched, where it goes, and what the Gateways say about it.

import type { Condition, KubeObject } from "@gatehouse/apimachinery/meta";
import { describeConditions, describeIdentity } from "./describe-parts.ts";
import type { DescribeWriter } from "./describe-writer.ts";

export interface ParentReference {
  group?: string;
  kind?: string;
  namespace?: string;
  name: string;
  sectionName?: string;
  port?: number;
}

interface ValueMatch {
  type?: string;
  name?: string;
  value: string;
}

interface BackendRef {
  group?: string;
  kind?: string;
  namespace?: string;
  name: string;
  port?: number;
  weight?: number;
  filters?: Filter[];
}

interface Filter {
  type: string;
  [settings: string]: unknown;
}

interface Rule {
  name?: string;
  matches?: { path?: ValueMatch; method?: string; headers?: ValueMatch[]; queryParams?: ValueMatch[] }[];
  filters?: Filter[];
  backendRefs?: BackendRef[];
  timeouts?: { request?: string; backendRequest?: string };
}

interface RouteSpec {
  hostnames?: string[];
  parentRefs?: ParentReference[];
  rules?: Rule[];
}

interface RouteStatus {
  parents?: { parentRef: ParentReference; controllerName: string; conditions?: Condition[] }[];
}

export function describeHttpRoute(writer: DescribeWriter, route: KubeObject): void {
  const spec = (route.spec ?? {}) as RouteSpec;
  describeIdentity(writer, route);
  writer.list(0, "Hostnames", spec.hostnames ?? ["* (every host of the listener)"]);
  describeRules(writer, spec.rules ?? []);
  describeParents(writer, route, spec.parentRefs ?? [], route.status ?? {});
}

function describeRules(writer: DescribeWriter, rules: readonly Rule[]): void {
  writer.line(0, "Rules:");
  for (const [index, rule] of rules.entries()) {
    writer.line(1, `Rule ${index}${rule.name ? ` (${rule.name})` : ""}:`);
    writer.list(2, "Matches", (rule.matches ?? [{}]).map(matchText));
    if (rule.filters?.length) writer.list(2, "Filters", rule.filters.map(filterText));
    writer.list(2, "Backends", (rule.backendRefs ?? []).map(backendText));
    const { request, backendRequest } = rule.timeouts ?? {};
    if (request) writer.line(2, "Timeout:", request);
    if (backendRequest) writer.line(2, "Backend timeout:", backendRequest);
  }
}

function matchText({ path, method, headers = [], queryParams = [] }: NonNullable<Rule["matches"]>[number]): string {
  const one = (what: string, { type = "Exact", name = "", value }: ValueMatch): string =>
    `${what} ${name}${type === "RegularExpression" ? " =~ " : ": "}${value}`;
  return [
    `${method ? `${method} ` : ""}${path?.type ?? "PathPrefix"} ${path?.value ?? "/"}`,
    ...headers.map((header) => one("header", header)),
    ...queryParams.map((parameter) => one("query", parameter)),
  ].join(" and ");
}

function filterText({ type, ...settings }: Filter): string {
  const [first] = Object.values(settings);
  return first === undefined ? type : `${type} ${JSON.stringify(first)}`;
}

function backendText({ kind = "Service", namespace, name, port, weight = 1, filters = [] }: BackendRef): string {
  const where = `${kind} ${namespace ? `${namespace}/` : ""}${name}${port === undefined ? "" : `:${port}`}`;
  return `${where} (weight ${weight})${filters.map((filter) => `, ${filterText(filter)}`).join("")}`;
}

function describeParents(
  writer: DescribeWriter,
  route: KubeObject,
  refs: readonly ParentReference[],
  status: RouteStatus,
): void {
  writer.line(0, refs.length > 0 ? "Parents:" : "Parents:  <none>");
  for (const ref of refs) {
    writer.line(1, `${parentText(ref, route.metadata.namespace)}:`);
    const answers = (status.parents ?? []).filter(({ parentRef }) =>
      sameParent(parentRef, ref, route.metadata.namespace),
    );
    if (answers.length === 0) {
      writer.line(
        2,
        "Status:",
        "no controller has answered: see whether the parent exists and its GatewayClass is accepted",
      );
    }
    for (const { controllerName, conditions } of answers) {
      writer.line(2, "Controller:", controllerName);
      describeConditions(writer, 2, conditions, route.metadata.generation);
    }
  }
}

/** `Gateway traefik/traefik-gateway, listener web`. */
function parentText({ kind = "Gateway", namespace, name, sectionName, port }: ParentReference, own = ""): string {
  const parts = [`${kind} ${namespace ?? own}/${name}`];
  if (sectionName) parts.push(`listener ${sectionName}`);
  if (port !== undefined) parts.push(`port ${port}`);
  return parts.join(", ");
}

/** Absent fields stand for the Gateway kind and the route's own namespace. */
export function sameParent(a: ParentReference, b: ParentReference, own: string | undefined): boolean {
  const full = ({
    group = "gateway.networking.k8s.io",
    kind = "Gateway",
    namespace = own,
    name,
    sectionName,
    port,
  }: ParentReference) => JSON.stringify([group, kind, namespace, name, sectionName, port]);
  return full(a) === full(b);
}
