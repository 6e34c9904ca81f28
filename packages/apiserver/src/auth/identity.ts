// Who a request is from. Authentication makes it, authorization and the reviews read it.

export interface Identity {
  user: string;
  uid?: string;
  /** Includes `system:authenticated` for everybody who proved who they are. */
  groups: string[];
  extra?: Record<string, string[]>;
}

/** The group that may do everything. */
export const mastersGroup = "system:masters";
export const authenticatedGroup = "system:authenticated";

/** The identity with `system:authenticated` among its groups. */
export function authenticated(identity: Identity): Identity {
  if (identity.groups.includes(authenticatedGroup)) return identity;
  return { ...identity, groups: [...identity.groups, authenticatedGroup] };
}

/** The user name of a ServiceAccount. */
export function serviceAccountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}
