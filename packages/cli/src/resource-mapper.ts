// From the names people type (`po`, `httproutes`, `deployments.apps`, `Gateway`) to the resources that the server serves,
// as its discovery documents tell: aggregated (one answer per root) or, from older servers, one document per group version.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { UserError } from "./user-error.ts";

/** A resource as discovery describes it. */
export interface MappedResource extends ResourceType {
  singular: string;
  shortNames: string[];
  categories: string[];
  verbs: string[];
}

export interface ResourceMapper {
  /** The resources in the server's order of preference: core first, each group's preferred version first. */
  readonly resources: readonly MappedResource[];
  /** By plural, singular, kind or short name, each also with `.group` or `.version.group`. Throws a UserError. */
  find(name: string): MappedResource;
  /** As `find`; a category (`all`, `gateway-api`) gives every resource in it. */
  findAll(name: string): MappedResource[];
  /** By the words of a manifest. */
  byKind(apiVersion: string, kind: string): MappedResource | undefined;
}

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/** Asks the server what it serves: two requests, or one more per group version of servers without aggregation. */
export async function discover(client: ApiClient): Promise<ResourceMapper> {
  const roots = await Promise.all(
    ["/api", "/apis"].map((path) =>
      client.json<DiscoveryRoot>({ method: "GET", path, headers: { accept: aggregated } }),
    ),
  );
  const resources = await Promise.all(roots.map((root) => resourcesOf(client, root)));
  return createResourceMapper(resources.flat());
}

/** The mapper over resources that are in order of preference. */
function createResourceMapper(resources: readonly MappedResource[]): ResourceMapper {
  const find = (name: string): MappedResource => {
    const found = lookUp(resources, name);
    if (!found) throw new UserError(`the server doesn't have a resource type "${name}"`);
    return found;
  };
  return {
    resources,
    find,
    findAll: (name) => {
      const inCategory = preferredOnly(resources.filter((each) => each.categories.includes(name.toLowerCase())));
      return inCategory.length > 0 && !lookUp(resources, name) ? inCategory : [find(name)];
    },
    byKind: (apiVersion, kind) =>
      resources.find(
        (each) => each.kind === kind && apiVersion === (each.group ? `${each.group}/${each.version}` : each.version),
      ),
  };
}

function lookUp(resources: readonly MappedResource[], typed: string): MappedResource | undefined {
  const [name = "", ...rest] = typed.toLowerCase().split(".");
  const suffix = rest.join(".");
  const candidates = resources.filter((each) => suffix === "" || matchesSuffix(each, suffix));
  const by = (test: (each: MappedResource) => boolean) => candidates.find(test);
  return (
    by((each) => each.plural === name) ??
    by((each) => each.singular === name || each.kind.toLowerCase() === name) ??
    by((each) => each.shortNames.includes(name))
  );
}

/** `apps`, `v1.apps`, and as kubectl does also the beginning of a group (`httproutes.gateway`). */
function matchesSuffix({ group, version }: MappedResource, suffix: string): boolean {
  if (group.startsWith(suffix) && group !== "") return true;
  return suffix === version ? group === "" : suffix === `${version}.${group}`;
}

function preferredOnly(resources: MappedResource[]): MappedResource[] {
  const seen = new Set<string>();
  return resources.filter(({ group, plural }) => {
    const key = `${group}/${plural}`;
    return seen.has(key) ? false : seen.add(key);
  });
}

// The documents, as far as they are read.

type DiscoveryRoot =
  | { kind: "APIGroupDiscoveryList"; items: GroupDiscovery[] }
  | { kind: "APIVersions"; versions: string[] }
  | { kind: "APIGroupList"; groups: { name: string; versions: GroupVersion[]; preferredVersion?: GroupVersion }[] };

interface GroupVersion {
  groupVersion: string;
  version: string;
}

interface GroupDiscovery {
  metadata?: { name?: string };
  versions: { version: string; resources?: ResourceDiscovery[] }[];
}

interface ResourceDiscovery {
  resource: string;
  responseKind?: { kind?: string } | null;
  scope: "Namespaced" | "Cluster";
  singularResource?: string;
  shortNames?: string[];
  categories?: string[];
  verbs?: string[];
}

interface LegacyResource {
  name: string;
  singularName?: string;
  namespaced: boolean;
  kind: string;
  shortNames?: string[];
  categories?: string[];
  verbs?: string[];
}

async function resourcesOf(client: ApiClient, root: DiscoveryRoot): Promise<MappedResource[]> {
  switch (root.kind) {
    case "APIGroupDiscoveryList":
      return root.items.flatMap(fromGroup);
    case "APIVersions":
      return (await Promise.all(root.versions.map((version) => legacy(client, "", version)))).flat();
    case "APIGroupList":
      return (
        await Promise.all(root.groups.flatMap((group) => inPreference(group).map((v) => legacy(client, group.name, v))))
      ).flat();
  }
}

function inPreference(group: { versions: GroupVersion[]; preferredVersion?: GroupVersion }): string[] {
  const all = [...(group.preferredVersion ? [group.preferredVersion] : []), ...group.versions];
  return [...new Set(all.map(({ version }) => version))];
}

function fromGroup(item: GroupDiscovery): MappedResource[] {
  return item.versions.flatMap(({ version, resources = [] }) =>
    resources.map((each) => ({
      group: item.metadata?.name ?? "",
      version,
      plural: each.resource,
      kind: each.responseKind?.kind ?? "",
      namespaced: each.scope === "Namespaced",
      singular: each.singularResource || (each.responseKind?.kind ?? "").toLowerCase(),
      shortNames: each.shortNames ?? [],
      categories: each.categories ?? [],
      verbs: each.verbs ?? [],
    })),
  );
}

async function legacy(client: ApiClient, group: string, version: string): Promise<MappedResource[]> {
  const path = group ? `/apis/${group}/${version}` : `/api/${version}`;
  const { resources } = await client.json<{ resources: LegacyResource[] }>({ method: "GET", path });
  return resources
    .filter(({ name }) => !name.includes("/"))
    .map(({ name, singularName, namespaced, kind, ...each }) => ({
      group,
      version,
      plural: name,
      kind,
      namespaced,
      singular: singularName || kind.toLowerCase(),
      shortNames: each.shortNames ?? [],
      categories: each.categories ?? [],
      verbs: each.verbs ?? [],
    }));
}
