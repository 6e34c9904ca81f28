// Write rules of RoleBindings and ClusterRoleBindings.

import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue, notSupported, required } from "../schema/field-cause.ts";
import { nameCauses, pathSegmentFaults, subdomainFaults } from "./names.ts";

const rbac = "rbac.authorization.k8s.io";

interface Binding extends KubeObject {
  subjects?: { kind: string; name: string; namespace?: string; apiGroup?: string }[];
  roleRef: { apiGroup: string; kind: string; name: string };
}

export const roleBindingStrategy: WriteStrategy = {
  complete: (object) => defaultSubjects(object as Binding),
  validate: (object, old) => {
    const { roleRef, subjects = [], metadata } = object as Binding;
    if (old && !isDeepStrictEqual(roleRef, old.roleRef))
      return [invalidValue("roleRef", roleRef, "cannot change roleRef")];
    const kinds = metadata.namespace ? ["Role", "ClusterRole"] : ["ClusterRole"];
    const causes = kinds.includes(roleRef.kind) ? [] : [notSupported("roleRef.kind", roleRef.kind, kinds)];
    if (roleRef.apiGroup !== rbac) causes.push(notSupported("roleRef.apiGroup", roleRef.apiGroup, [rbac]));
    if (!roleRef.name) causes.push(required("roleRef.name"));
    else causes.push(...nameCauses("roleRef.name", roleRef.name, pathSegmentFaults));
    for (const [index, subject] of subjects.entries()) {
      const field = `subjects[${index}]`;
      const isAccount = subject.kind === "ServiceAccount";
      if (!subject.name) causes.push(required(`${field}.name`));
      else if (isAccount) causes.push(...nameCauses(`${field}.name`, subject.name, subdomainFaults));
      const group = isAccount ? "" : rbac;
      if ((subject.apiGroup ?? "") !== group) {
        causes.push(notSupported(`${field}.apiGroup`, subject.apiGroup, [group]));
      }
      if (!["User", "Group", "ServiceAccount"].includes(subject.kind)) {
        causes.push(notSupported(`${field}.kind`, subject.kind, ["ServiceAccount", "User", "Group"]));
      }
      if (subject.kind === "ServiceAccount" && !subject.namespace && !metadata.namespace)
        causes.push(required(`${field}.namespace`));
    }
    return causes;
  },
};

function defaultSubjects(binding: Binding): void {
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === "ServiceAccount") subject.namespace ||= binding.metadata.namespace ?? "";
    else subject.apiGroup ||= rbac;
  }
}
