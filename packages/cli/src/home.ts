// Where clusters keep their state, and what they are called.

import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "./user-error.ts";

export const defaultClusterName = "gatehouse";

/** `GATEHOUSE_HOME`, or `~/.gatehouse`. Created on demand with mode 0700. */
export function gatehouseHome(environment: NodeJS.ProcessEnv = process.env): string {
  return resolve(environment.GATEHOUSE_HOME || join(environment.HOME || homedir(), ".gatehouse"));
}

export function clustersDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return join(gatehouseHome(environment), "clusters");
}

/** The state directory of one cluster. Throws a UserError for a name that is not a DNS label. */
export function clusterDirectory(name: string, environment: NodeJS.ProcessEnv = process.env): string {
  return join(clustersDirectory(environment), checkedName(name));
}

/** The state directory of a kind cluster. Throws a UserError for a name that is not a DNS label. */
export function kindDirectory(name: string, environment: NodeJS.ProcessEnv = process.env): string {
  return join(gatehouseHome(environment), "kind", checkedName(name));
}

/** The state directory of what is installed by way of a context. Contexts may have any name, directories may not. */
export function contextDirectory(context: string, environment: NodeJS.ProcessEnv = process.env): string {
  const readable = context.replace(/[^A-Za-z0-9.-]+/g, "-").slice(0, 40);
  const digest = createHash("sha256").update(context).digest("hex").slice(0, 8);
  return join(gatehouseHome(environment), "contexts", `${readable}-${digest}`);
}

/** The kubeconfig context: `gatehouse`, or `gatehouse-NAME`. */
export function contextName(name: string): string {
  return name === defaultClusterName ? defaultClusterName : `${defaultClusterName}-${name}`;
}

function checkedName(name: string): string {
  if (name.length > 40 || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)) {
    throw new UserError(
      `cluster name "${name}" is not usable: at most 40 lower-case letters, digits and inner hyphens, e.g. --name dev`,
      2,
    );
  }
  return name;
}
