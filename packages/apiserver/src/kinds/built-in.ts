// Every kind the server knows without a CustomResourceDefinition.

import type { ResourceDefinition } from "../resource-definition.ts";
import { admissionregistrationDefinitions } from "./admissionregistration.ts";
import { apiextensionsDefinitions } from "./apiextensions.ts";
import { appsDefinitions } from "./apps.ts";
import { authenticationDefinitions } from "./authentication.ts";
import { authorizationDefinitions } from "./authorization.ts";
import { batchDefinitions } from "./batch.ts";
import { coordinationDefinitions } from "./coordination.ts";
import { coreDefinitions } from "./core.ts";
import { discoveryDefinitions } from "./discovery-k8s-io.ts";
import { eventsDefinitions } from "./events-k8s-io.ts";
import { networkingDefinitions } from "./networking.ts";
import { rbacDefinitions } from "./rbac.ts";
import { storedOnlyDefinitions } from "./stored-only.ts";

/** Fresh definitions of all built-in kinds, group by group; the core group comes first. */
export function builtInDefinitions(): ResourceDefinition[] {
  return [
    ...coreDefinitions(),
    ...appsDefinitions(),
    ...batchDefinitions(),
    ...authenticationDefinitions(),
    ...authorizationDefinitions(),
    ...eventsDefinitions(),
    ...networkingDefinitions(),
    ...storedOnlyDefinitions(),
    ...rbacDefinitions(),
    ...apiextensionsDefinitions(),
    ...admissionregistrationDefinitions(),
    ...coordinationDefinitions(),
    ...discoveryDefinitions(),
  ];
}
