// Nobody grants what they may not do: writes of roles and bindings are checked against the writer's own rules
// (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping).

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { forbidden, notFound } from "@gatehouse/apimachinery/status-error";
import { type Identity, mastersGroup } from "./identity.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import type { Store } from "../storage/store.ts";
import { Authorizer, type PolicyRule, rulesOf } from "./authorization.ts";

const group = "rbac.authorization.k8s.io";

/** Throws 403 when `object` is a role or binding that grants more than `identity` has, 404 for a binding to no role. */
export function checkEscalation(
  store: Store,
  definition: ResourceDefinition,
  identity: Identity,
  object: KubeObject,
): void {
  if (definition.type.group !== group || identity.groups.includes(mastersGroup)) return;
  const authorizer = new Authorizer(store);
  const { plural } = definition.type;
  const { name, namespace } = object.metadata;
  const isBinding = plural.endsWith("bindings");
  const roleRef = object.roleRef as { kind: string; name: string } | undefined;
  const role = isBinding
    ? { plural: roleRef?.kind === "Role" ? "roles" : "clusterroles", name: roleRef?.name ?? "" }
    : { plural, name };
  const verb = isBinding ? "bind" : "escalate";
  if (authorizer.allowsResource(identity, { verb, group, ...role, namespace })) return;
  // Rules of a role that does not exist yet cannot be checked, and would be everybody's who is bound to its name.
  if (isBinding && !storedRole(store, role, namespace)) throw notFound({ group, ...role });
  const granted = rulesOf(isBinding ? storedRole(store, role, namespace) : object);
  const own = authorizer.rulesFor(identity, namespace);
  const excess = granted.flatMap(atoms).filter((atom) => !own.some((rule) => covers(rule, atom)));
  if (excess.length === 0) return;
  const subject = { group, plural, name };
  const list = excess.slice(0, 5).map((atom) => JSON.stringify(atom));
  const who = JSON.stringify(identity.user);
  throw forbidden(
    `${plural}.${group} "${name}" is forbidden: user ${who} is attempting to grant RBAC permissions not currently held:\n${list.join("\n")}`,
    subject,
  );
}

function storedRole(
  store: Store,
  role: { plural: string; name: string },
  namespace: string | undefined,
): KubeObject | undefined {
  return store.get(`${group}/${role.plural}`, role.plural === "roles" ? `${namespace}/${role.name}` : role.name);
}

/** A rule taken apart: one verb on one resource (of one name), or on one URL. */
interface Atom {
  verb: string;
  group?: string;
  resource?: string;
  name?: string;
  url?: string;
}

function atoms(rule: PolicyRule): Atom[] {
  const names: (string | undefined)[] = rule.resourceNames?.length ? rule.resourceNames : [undefined];
  return rule.verbs.flatMap((verb) => [
    ...(rule.nonResourceURLs ?? []).map((url) => ({ verb, url })),
    ...(rule.apiGroups ?? []).flatMap((apiGroup) =>
      (rule.resources ?? []).flatMap((resource) =>
        names.map((name) => ({ verb, group: apiGroup, resource, ...(name === undefined ? {} : { name }) })),
      ),
    ),
  ]);
}

function covers(rule: PolicyRule, { verb, group: apiGroup, resource, name, url }: Atom): boolean {
  const has = (list: string[] | undefined, wanted: string): boolean =>
    list?.includes("*") === true || list?.includes(wanted) === true;
  if (!has(rule.verbs, verb)) return false;
  if (url !== undefined) {
    return (rule.nonResourceURLs ?? []).some(
      (own) => own === url || (own.endsWith("*") && url.startsWith(own.slice(0, -1))),
    );
  }
  if (!has(rule.apiGroups, apiGroup ?? "") || !has(rule.resources, resource ?? "")) return false;
  return !rule.resourceNames?.length || (name !== undefined && rule.resourceNames.includes(name));
}
