// Every kind the server knows without a CustomResourceDefinition.

import type { ResourceDefinition } from "../resource-definition.ts";
import { apiextensionsDefinitions } from "./apiextensions.ts";
import { appsDefinitions } from "./apps.ts";
import { authenticationDefinitions } from "./authentication.ts";
import { authorizationDefinitions } from "./authorization.ts";
import { coordinationDefinitions } from "./coordination.ts";
import { coreDefinitions } from "./core.ts";
import { discoveryDefinitions } from "./discovery-k8s-io.ts";
import { eventsDefinitions } from "./events-k8s-io.ts";
import { networkingDefinitions } from "./networking.ts";
import { rbacDefinitions } from "./rbac.ts";

/** Fresh definitions of all built-in kinds, group by group; the core group comes first. */
export function builtInDefinitions(): ResourceDefinition[] {
  return [
    ...coreDefinitions(),
    ...appsDefinitions(),
    ...authenticationDefinitions(),
    ...authorizationDefinitions(),
    ...eventsDefinitions(),
    ...networkingDefinitions(),
    ...rbacDefinitions(),
    ...apiextensionsDefinitions(),
    ...coordinationDefinitions(),
    ...discoveryDefinitions(),
  ];
}
