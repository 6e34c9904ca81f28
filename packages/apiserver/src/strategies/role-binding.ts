// Write rules of RoleBindings and ClusterRoleBindings.

import type { WriteStrategy } from "../resource-definition.ts";

export const roleBindingStrategy: WriteStrategy = {};
