// May this identity do this: RBAC, evaluated over the stored roles and bindings (rbac/v1).

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { type Identity, mastersGroup } from "./identity.ts";
import type { Store } from "../storage/store.ts";

/** What is to be done. Resource attributes or a path, never both. */
export interface ResourceAttributes {
  verb: string;
  group: string;
  plural: string;
  subresource?: string | undefined;
  namespace?: string | undefined;
  name?: string | undefined;
}

export interface PathAttributes {
  verb: string;
  path: string;
}

export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

interface Subject {
  kind: string;
  name: string;
  namespace?: string;
}

interface Binding extends KubeObject {
  subjects?: Subject[];
  roleRef: { kind: string; name: string };
}

const rbac = "rbac.authorization.k8s.io";

/** Reads roles and bindings from the store at every question: they change rarely and are few. */
export class Authorizer {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  allowsResource(identity: Identity, attributes: ResourceAttributes): boolean {
    if (identity.groups.includes(mastersGroup)) return true;
    return this.rulesFor(identity, attributes.namespace).some((rule) => coversResource(rule, attributes));
  }

  allowsPath(identity: Identity, { verb, path }: PathAttributes): boolean {
    if (identity.groups.includes(mastersGroup)) return true;
    return this.rulesFor(identity, undefined).some(
      (rule) => includes(rule.verbs, verb) && (rule.nonResourceURLs ?? []).some((pattern) => coversPath(pattern, path)),
    );
  }

  /** Every rule that holds for the identity cluster-wide and, when given, in the namespace. */
  rulesFor(identity: Identity, namespace: string | undefined): PolicyRule[] {
    const rules: PolicyRule[] = [];
    for (const [, binding] of this.#store.scan(`${rbac}/clusterrolebindings`)) {
      if (binds(binding as Binding, identity, undefined)) rules.push(...this.#rulesOf(binding as Binding, undefined));
    }
    if (!namespace) return rules;
    for (const [, binding] of this.#store.scan(`${rbac}/rolebindings`, `${namespace}/`)) {
      if (binds(binding as Binding, identity, namespace)) rules.push(...this.#rulesOf(binding as Binding, namespace));
    }
    return rules;
  }

  #rulesOf({ roleRef }: Binding, namespace: string | undefined): PolicyRule[] {
    const role =
      roleRef.kind === "ClusterRole"
        ? this.#store.get(`${rbac}/clusterroles`, roleRef.name)
        : this.#store.get(`${rbac}/roles`, `${namespace}/${roleRef.name}`);
    return rulesOf(role);
  }
}

/** The rules of a stored role; none when it is not there. */
export function rulesOf(role: KubeObject | undefined): PolicyRule[] {
  const { rules } = (role ?? {}) as { rules?: PolicyRule[] | null };
  return rules ?? [];
}

function binds(binding: Binding, identity: Identity, namespace: string | undefined): boolean {
  return (binding.subjects ?? []).some((subject) => {
    if (subject.kind === "User") return subject.name === identity.user;
    if (subject.kind === "Group") return identity.groups.includes(subject.name);
    const home = subject.namespace ?? namespace;
    return home !== undefined && identity.user === `system:serviceaccount:${home}:${subject.name}`;
  });
}

function coversResource(rule: PolicyRule, attributes: ResourceAttributes): boolean {
  const { group, plural, subresource, name } = attributes;
  if (!includes(rule.verbs, attributes.verb) || !includes(rule.apiGroups ?? [], group)) return false;
  const wanted = subresource ? `${plural}/${subresource}` : plural;
  const named = (rule.resources ?? []).some(
    (resource) =>
      resource === "*" || resource === wanted || (subresource !== undefined && resource === `*/${subresource}`),
  );
  if (!named) return false;
  return !rule.resourceNames?.length || (name !== undefined && rule.resourceNames.includes(name));
}

function includes(list: string[], wanted: string): boolean {
  return list.includes("*") || list.includes(wanted);
}

function coversPath(pattern: string, path: string): boolean {
  return pattern === path || (pattern.endsWith("*") && path.startsWith(pattern.slice(0, -1)));
}
