// Checks of a pod's volumes (pkg/apis/core/validation ValidateVolumes).

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Volume } from "@gatehouse/apimachinery/types/core-v1";
import { duplicate, forbiddenField, invalidValue, required } from "../schema/field-cause.ts";
import { labelFaults, nameCauses } from "./names.ts";

type AnyVolume = Volume & { persistentVolumeClaim?: { claimName: string } };

/** A volume without a source is an empty directory. */
export function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every((name) => name === "name")) volume.emptyDir = {};
}

export function volumeCauses(volumes: Volume[], path: string): StatusCause[] {
  const names = new Set<string>();
  return volumes.flatMap((volume, index) => {
    const field = `${path}[${index}]`;
    const causes = sourceCauses(volume, field);
    if (!volume.name) causes.push(required(`${field}.name`));
    else causes.push(...nameCauses(`${field}.name`, volume.name, labelFaults));
    if (names.has(volume.name)) causes.push(duplicate(`${field}.name`, volume.name));
    names.add(volume.name);
    return causes;
  });
}

function sourceCauses(volume: AnyVolume, field: string): StatusCause[] {
  const sources = Object.keys(volume).filter((name) => name !== "name");
  const causes = sources
    .slice(1)
    .map((name) => forbiddenField(`${field}.${name}`, "may not specify more than 1 volume type"));
  const { configMap, secret, hostPath, persistentVolumeClaim: claim, projected } = volume;
  if (configMap && !configMap.name) causes.push(required(`${field}.configMap.name`));
  if (secret && !secret.secretName) causes.push(required(`${field}.secret.secretName`));
  if (hostPath && !hostPath.path) causes.push(required(`${field}.hostPath.path`));
  if (claim && !claim.claimName) causes.push(required(`${field}.persistentVolumeClaim.claimName`));
  for (const [kind, source] of Object.entries({ configMap, secret, projected })) {
    const mode = source?.defaultMode;
    if (mode === undefined || (mode >= 0 && mode <= 0o777)) continue;
    const detail = "must be a number between 0 and 0777 (octal), both inclusive";
    causes.push(invalidValue(`${field}.${kind}.defaultMode`, mode, detail));
  }
  for (const [kind, source] of Object.entries({ configMap, secret })) {
    for (const [index, item] of (source?.items ?? []).entries()) {
      const at = `${field}.${kind}.items[${index}]`;
      if (!item.key) causes.push(required(`${at}.key`));
      if (!item.path) causes.push(required(`${at}.path`));
      else if (item.path.startsWith("/")) causes.push(invalidValue(`${at}.path`, item.path, "must be a relative path"));
      else if (item.path.split("/").includes("..")) {
        causes.push(invalidValue(`${at}.path`, item.path, "must not contain '..'"));
      }
    }
  }
  return causes;
}
