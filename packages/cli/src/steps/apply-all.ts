// Applying objects as one step of `up`: all of them, or the first failure with the object's name.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { applyObjects } from "../apply-objects.ts";
import { installedMark } from "../installed-mark.ts";
import { gatewayTypes } from "./demo-manifests.ts";
import { UserError } from "../user-error.ts";

/**
 * Throws a UserError that names the first object that could not be applied; the others are applied all the same. What is
 * wrong with the connection is no object's fault, and thrown as it is.
 */
export async function applyAll(client: ApiClient, objects: KubeObject[]): Promise<void> {
  const failures: Error[] = [];
  const options = { types: gatewayTypes, marks: installedMark };
  for await (const { ref, index, result, error } of applyObjects(client, objects, options)) {
    if (result !== "failed") continue;
    if (!(error instanceof StatusError) && !(error instanceof UserError)) failures.push(error);
    else {
      const { namespace } = objects[index]?.metadata ?? {};
      const which = `${ref}${namespace ? ` in namespace ${namespace}` : ""}`;
      failures.push(new UserError(`${which}: ${error.message}`, 1, { cause: error }));
    }
  }
  if (failures[0]) throw failures[0];
}
