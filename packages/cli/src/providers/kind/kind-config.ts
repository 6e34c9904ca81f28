// The kind configuration of one cluster: kind/cluster.yaml with the name and the host ports chosen for it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMap, isSeq, parseDocument, type YAMLMap } from "yaml";
import type { PortMapping } from "../../cluster-state.ts";
import { kindConfigFile } from "../../program-files.ts";
import { UserError } from "../../user-error.ts";
import { clusterMark } from "./kind-state.ts";

/** YAML text; everything else of the file stays as it is, comments too. `directory` is the cluster's state. */
export function kindConfig(name: string, mappings: PortMapping[], directory: string): string {
  const path = kindConfigFile();
  const document = parseDocument(readFileSync(path, "utf8"));
  const ports = document.getIn(["nodes", 0, "extraPortMappings"]);
  if (!isSeq(ports)) throw new UserError(`${path}: nodes[0].extraPortMappings is missing`);
  document.set("name", name);
  for (const item of ports.items as YAMLMap[]) {
    if (!isMap(item)) continue;
    const mapping = mappings.find(({ containerPort }) => containerPort === item.get("containerPort"));
    if (mapping) item.set("hostPort", mapping.hostPort);
  }
  const mark = clusterMark(directory);
  const mount = { hostPath: join(directory, mark), containerPath: `/${mark}`, readOnly: true };
  document.setIn(["nodes", 0, "extraMounts"], document.createNode([mount]));
  return document.toString({ lineWidth: 0 });
}
