// Applying objects as one step of `up`: all of them, or the first failure with the object's name.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { applyObjects } from "../apply-objects.ts";
import { installedMark } from "../installed-mark.ts";
import { gatewayTypes } from "./demo-manifests.ts";
import { UserError } from "../user-error.ts";

/** Throws a UserError that names the first object that could not be applied; the others are applied all the same. */
export async function applyAll(client: ApiClient, objects: KubeObject[]): Promise<void> {
  const failures: UserError[] = [];
  const options = { types: gatewayTypes, marks: installedMark };
  for await (const { ref, index, result, error } of applyObjects(client, objects, options)) {
    if (result !== "failed") continue;
    const { namespace } = objects[index]?.metadata ?? {};
    failures.push(
      new UserError(`${ref}${namespace ? ` in namespace ${namespace}` : ""}: ${error.message}`, 1, { cause: error }),
    );
  }
  if (failures[0]) throw failures[0];
}
