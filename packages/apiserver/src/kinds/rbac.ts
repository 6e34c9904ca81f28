// The kinds of rbac.authorization.k8s.io/v1.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { PrinterColumn, ResourceDefinition } from "../resource-definition.ts";
import { roleStrategy } from "../strategies/role.ts";
import { roleBindingStrategy } from "../strategies/role-binding.ts";
import { ageColumn, column, nameColumn, wideColumn } from "./columns.ts";
import { builtIn } from "./definition-helpers.ts";
import { field, listOf } from "./schema-helpers.ts";
import { aggregationRule, policyRule, roleRef, subject } from "./types/rbac.ts";

interface Binding extends KubeObject {
  roleRef: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string }[];
}

const rbac = (plural: string, kind: string, namespaced: boolean) => ({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  plural,
  kind,
  namespaced,
});

const subjectsOf = (kind: string) => (binding: Binding) =>
  (binding.subjects ?? [])
    .filter((item) => item.kind === kind)
    .map(({ name, namespace }) => (kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name))
    .join(", ");

const bindingColumns: PrinterColumn[] = [
  nameColumn,
  column<Binding>("Role", "The role that is granted.", ({ roleRef: { kind, name } }) => `${kind}/${name}`),
  ageColumn,
  wideColumn<Binding>("Users", "Users it is granted to.", subjectsOf("User")),
  wideColumn<Binding>("Groups", "Groups it is granted to.", subjectsOf("Group")),
  wideColumn<Binding>("ServiceAccounts", "Service accounts it is granted to.", subjectsOf("ServiceAccount")),
];

const rules = listOf(policyRule, "What the role allows.");

const bindingFields = {
  "roleRef!": field(roleRef, "The role that is granted. Cannot be changed."),
  subjects: listOf(subject, "Who it is granted to."),
};

const packageName = "rbac.v1";

export function rbacDefinitions(): ResourceDefinition[] {
  return [
    builtIn(rbac("roles", "Role", true), {
      package: packageName,
      description: "What may be done in a namespace.",
      fields: { rules },
      strategy: roleStrategy,
    }),
    builtIn(rbac("rolebindings", "RoleBinding", true), {
      package: packageName,
      description: "Who has a role in a namespace.",
      fields: bindingFields,
      columns: bindingColumns,
      strategy: roleBindingStrategy,
    }),
    builtIn(rbac("clusterroles", "ClusterRole", false), {
      package: packageName,
      description: "What may be done in the whole cluster.",
      fields: {
        rules,
        aggregationRule: field(aggregationRule, "Roles whose rules are taken over."),
      },
      strategy: roleStrategy,
    }),
    builtIn(rbac("clusterrolebindings", "ClusterRoleBinding", false), {
      package: packageName,
      description: "Who has a role in the whole cluster.",
      fields: bindingFields,
      columns: bindingColumns,
      strategy: roleBindingStrategy,
    }),
  ];
}
