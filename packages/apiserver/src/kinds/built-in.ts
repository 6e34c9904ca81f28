import type { ResourceDefinition } from "../resource-definition.ts";

/** Every kind the server knows without a CustomResourceDefinition. */
export function builtInDefinitions(): ResourceDefinition[] {
  return [];
}
