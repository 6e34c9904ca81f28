// The list of a policy's ancestors has an end (PolicyStatus.ancestors).

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { controllerName } from "./controller-name.ts";

/** PolicyStatus.ancestors. */
export const maxAncestors = 16;

/** Others have filled the list: then the policy has to be taken for one that cannot be carried out. */
export function isCrowdedOut({ status }: KubeObject): boolean {
  const { ancestors = [] } = (status ?? {}) as { ancestors?: { controllerName: string }[] };
  return ancestors.length >= maxAncestors && ancestors.every((entry) => entry.controllerName !== controllerName);
}

/** The same as the end of a message. */
export const crowdedOut = `its status has ${maxAncestors} ancestors of other controllers, and no room for one more`;
