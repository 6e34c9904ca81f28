// What is served where: /api and /apis, in the legacy form and the aggregated one (KEP-3352).

import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import type { ResourceDefinition, Verb } from "./resource-definition.ts";
import { subresourceNames } from "./subresources/names.ts";
import { compareVersions } from "./versions.ts";

/** The served resources; `generation` moves when they change. */
export interface DefinitionSource {
  definitions(): Iterable<ResourceDefinition>;
  readonly generation: number;
}

/** An answer for a path, ready to be written. */
export interface DocumentAnswer {
  contentType: string;
  body: string | Buffer;
  headers?: Record<string, string>;
}

interface GroupVersion {
  group: string;
  version: string;
  definitions: ResourceDefinition[];
}

interface Subresource {
  name: string;
  kind: { group: string; version: string; kind: string };
  verbs: string[];
}

const allVerbs: Verb[] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** The verbs a resource takes. */
export function servedVerbs(definition: ResourceDefinition): Verb[] {
  return allVerbs.filter((verb) => !definition.verbs?.includes(verb));
}

/** The served group versions in the order of registration, the versions of a group best first. */
export function groupVersions(source: DefinitionSource): GroupVersion[] {
  const groups = new Map<string, Map<string, ResourceDefinition[]>>();
  for (const definition of source.definitions()) {
    const { group, version } = definition.type;
    const versions = groups.get(group) ?? new Map<string, ResourceDefinition[]>();
    groups.set(group, versions.set(version, [...(versions.get(version) ?? []), definition]));
  }
  return [...groups].flatMap(([group, versions]) =>
    [...versions]
      .toSorted(([a], [b]) => compareVersions(a, b))
      .map(([version, definitions]) => ({ group, version, definitions })),
  );
}

/** Answers the discovery paths; documents are made once and kept until the served resources change. */
export class Discovery {
  readonly #source: DefinitionSource;
  readonly #documents = new Map<string, string>();
  #generation = -1;

  constructor(source: DefinitionSource) {
    this.#source = source;
  }

  /** The answer for `path` (without a trailing slash), or undefined when it is no discovery path that is served. */
  answer(path: string, accept: string): (DocumentAnswer & { body: string }) | undefined {
    const aggregated = path === "/api" || path === "/apis" ? aggregatedVersion(accept) : undefined;
    const contentType = aggregated
      ? `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`
      : "application/json";
    const body = this.#document(path, aggregated);
    return body === undefined ? undefined : { contentType, body, headers: { vary: "Accept" } };
  }

  #document(path: string, aggregated: string | undefined): string | undefined {
    if (this.#generation !== this.#source.generation) {
      this.#documents.clear();
      this.#generation = this.#source.generation;
    }
    const key = `${path} ${aggregated ?? ""}`;
    const known = this.#documents.get(key);
    if (known !== undefined) return known;
    const document = makeDocument(groupVersions(this.#source), path, aggregated);
    if (document === undefined) return undefined;
    const body = JSON.stringify(document);
    this.#documents.set(key, body);
    return body;
  }
}

/** `v2` or `v2beta1` when that is the first form in the Accept header that can be served. */
function aggregatedVersion(accept: string): string | undefined {
  for (const part of accept.split(",")) {
    const [type = "", ...rest] = part.split(";").map((item) => item.trim());
    if (type !== "application/json" && type !== "*/*" && type !== "application/*") continue;
    const parameters = new Map(rest.map((item) => item.split("=", 2) as [string, string]));
    const as = parameters.get("as");
    if (as === undefined) return undefined;
    const version = parameters.get("v") ?? "";
    const known = version === "v2" || version === "v2beta1";
    if (as === "APIGroupDiscoveryList" && parameters.get("g") === "apidiscovery.k8s.io" && known) return version;
  }
  return undefined;
}

function makeDocument(all: GroupVersion[], path: string, aggregated: string | undefined): unknown {
  const core = all.filter(({ group }) => group === "");
  const named = all.filter(({ group }) => group !== "");
  if (path === "/api" || path === "/apis") {
    const served = path === "/api" ? core : named;
    if (aggregated) return aggregatedList(served, aggregated);
    return path === "/api" ? coreVersions(core) : { kind: "APIGroupList", apiVersion: "v1", groups: groupsOf(named) };
  }
  if (path === "/") return { paths: rootPaths(all) };
  const [root, first = "", second, ...more] = path.slice(1).split("/");
  if (more.length > 0) return undefined;
  if (root === "api")
    return second === undefined ? resourceList(core.find(({ version }) => version === first)) : undefined;
  if (root !== "apis") return undefined;
  if (second !== undefined) {
    return resourceList(named.find(({ group, version }) => group === first && version === second));
  }
  const [group] = groupsOf(named.filter((item) => item.group === first));
  return group && { kind: "APIGroup", apiVersion: "v1", ...group };
}

/** Paths outside the groups. */
const otherPaths = [
  "/.well-known/openid-configuration",
  "/healthz",
  "/livez",
  "/metrics",
  "/openapi/v2",
  "/openapi/v3",
  "/openid/v1/jwks",
  "/readyz",
  "/version",
];

function rootPaths(all: GroupVersion[]): string[] {
  const groups = all.flatMap(({ group, version }) =>
    group === "" ? [`/api/${version}`] : [`/apis/${group}`, `/apis/${group}/${version}`],
  );
  return [...new Set(["/api", "/apis", ...groups, ...otherPaths])].toSorted();
}

function coreVersions(core: GroupVersion[]): unknown {
  return { kind: "APIVersions", versions: core.map(({ version }) => version), serverAddressByClientCIDRs: [] };
}

interface Group {
  name: string;
  versions: { groupVersion: string; version: string }[];
  preferredVersion: { groupVersion: string; version: string };
}

function groupsOf(named: GroupVersion[]): Group[] {
  const groups = new Map<string, Group>();
  for (const item of named) {
    const version = { groupVersion: apiVersionOf(item), version: item.version };
    const group = groups.get(item.group) ?? { name: item.group, versions: [], preferredVersion: version };
    group.versions.push(version);
    groups.set(item.group, group);
  }
  return [...groups.values()];
}

/** Status, scale and the special subresources of a resource, sorted by name. */
function subresourcesOf({ type, subresources }: ResourceDefinition): Subresource[] {
  const { group, version, kind, plural } = type;
  const verbs = ["get", "patch", "update"];
  const list: Subresource[] = [];
  if (subresources.status) list.push({ name: "status", kind: { group, version, kind }, verbs });
  if (subresources.scale)
    list.push({ name: "scale", kind: { group: "autoscaling", version: "v1", kind: "Scale" }, verbs });
  for (const [key, special] of Object.entries(subresourceNames)) {
    const prefix = `${group}/${plural}/`;
    if (!key.startsWith(prefix)) continue;
    const name = { group: special.group, version: special.version, kind: special.kind };
    list.push({ name: key.slice(prefix.length), kind: name, verbs: special.verbs });
  }
  return list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function resourceList(served: GroupVersion | undefined): unknown {
  if (!served) return undefined;
  const resources = served.definitions.flatMap((definition) => {
    const { type, singular, shortNames, categories } = definition;
    const main = {
      name: type.plural,
      singularName: singular,
      namespaced: type.namespaced,
      kind: type.kind,
      verbs: servedVerbs(definition),
      ...(shortNames.length > 0 ? { shortNames } : {}),
      ...(categories.length > 0 ? { categories } : {}),
    };
    const others = subresourcesOf(definition).map(({ name, kind, verbs }) => ({
      name: `${type.plural}/${name}`,
      singularName: "",
      namespaced: type.namespaced,
      ...(kind.group === type.group && kind.version === type.version
        ? {}
        : { group: kind.group, version: kind.version }),
      kind: kind.kind,
      verbs,
    }));
    return [main, ...others];
  });
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion: apiVersionOf(served), resources };
}

function aggregatedList(served: GroupVersion[], version: string): unknown {
  const groups = new Map<string, unknown[]>();
  for (const item of served) {
    const versions = groups.get(item.group) ?? [];
    versions.push({ version: item.version, resources: item.definitions.map(aggregatedResource), freshness: "Current" });
    groups.set(item.group, versions);
  }
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: [...groups].map(([name, versions]) => ({ metadata: name ? { name } : {}, versions })),
  };
}

function aggregatedResource(definition: ResourceDefinition): unknown {
  const { type, singular, shortNames, categories } = definition;
  const subresources = subresourcesOf(definition).map(({ name, kind, verbs }) => ({
    subresource: name,
    responseKind: kind,
    verbs,
  }));
  return {
    resource: type.plural,
    responseKind: { group: type.group, version: type.version, kind: type.kind },
    scope: type.namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs: servedVerbs(definition),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}
