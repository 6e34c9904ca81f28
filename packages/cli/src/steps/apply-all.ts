// Applying objects as one step of `up`: all of them, or the first failure with the object's name.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { gateways } from "@gatehouse/gateway-api/gateway";
import { gatewayClasses } from "@gatehouse/gateway-api/gateway-class";
import { httpRoutes } from "@gatehouse/gateway-api/http-route";
import { applyObjects } from "../apply-objects.ts";
import { UserError } from "../user-error.ts";

/** Throws a UserError that names the first object that could not be applied; the others are applied all the same. */
export async function applyAll(client: ApiClient, objects: KubeObject[]): Promise<void> {
  const failures: UserError[] = [];
  for await (const outcome of applyObjects(client, objects, { types: [gatewayClasses, gateways, httpRoutes] })) {
    if (outcome.result === "failed")
      failures.push(new UserError(`${outcome.ref}: ${outcome.error.message}`, 1, { cause: outcome.error }));
  }
  if (failures[0]) throw failures[0];
}
