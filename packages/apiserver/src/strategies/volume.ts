// Checks of a pod's volumes (pkg/apis/core/validation ValidateVolumes).

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Volume } from "@gatehouse/apimachinery/types/core-v1";
import { duplicate, forbiddenField, invalidValue, notSupported, required } from "../schema/field-cause.ts";
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
  const { configMap, secret, hostPath, persistentVolumeClaim: claim, projected, downwardAPI } = volume;
  if (configMap && !configMap.name) causes.push(required(`${field}.configMap.name`));
  if (secret && !secret.secretName) causes.push(required(`${field}.secret.secretName`));
  if (hostPath) causes.push(...hostPathCauses(hostPath, `${field}.hostPath`));
  const sourcesOf = projected?.sources ?? [];
  causes.push(...projectedCauses(sourcesOf, `${field}.projected`), ...tokenCauses(sourcesOf, `${field}.projected`));
  causes.push(...downwardCauses(downwardAPI?.items ?? [], `${field}.downwardAPI`));
  if (claim && !claim.claimName) causes.push(required(`${field}.persistentVolumeClaim.claimName`));
  for (const [kind, source] of Object.entries({ configMap, secret, projected })) {
    causes.push(...modeCauses(source?.defaultMode, `${field}.${kind}.defaultMode`));
  }
  for (const [kind, source] of Object.entries({ configMap, secret })) {
    for (const [index, item] of (source?.items ?? []).entries()) {
      const at = `${field}.${kind}.items[${index}]`;
      if (!item.key) causes.push(required(`${at}.key`));
      causes.push(...modeCauses(item.mode, `${at}.mode`));
      causes.push(...insideCauses(item.path, `${at}.path`));
    }
  }
  return causes;
}

interface DownwardItem {
  path?: string;
  fieldRef?: { fieldPath?: string };
  resourceFieldRef?: { containerName?: string; resource?: string };
}

function downwardCauses(items: DownwardItem[], field: string): StatusCause[] {
  return items.flatMap((item) => [...insideCauses(item.path, `${field}.path`), ...downwardSourceCauses(item, field)]);
}

function downwardSourceCauses({ fieldRef, resourceFieldRef }: DownwardItem, field: string): StatusCause[] {
  if (!fieldRef && !resourceFieldRef) return [required(field, "one of fieldRef and resourceFieldRef is required")];
  if (fieldRef) return fieldRef.fieldPath ? [] : [required(`${field}.fieldRef.fieldPath`)];
  const at = `${field}.resourceFieldRef`;
  return [
    ...(resourceFieldRef?.containerName ? [] : [required(`${at}.containerName`)]),
    ...(resourceFieldRef?.resource ? [] : [required(`${at}.resource`)]),
  ];
}

/** A path that stays in its volume. */
function insideCauses(path: string | undefined, field: string): StatusCause[] {
  if (!path) return [required(field)];
  if (path.startsWith("/")) return [invalidValue(field, path, "must be a relative path")];
  return path.split("/").includes("..") ? [invalidValue(field, path, "must not contain '..'")] : [];
}

function projectedCauses(sources: unknown[], field: string): StatusCause[] {
  type Source = { configMap?: { name?: string }; secret?: { name?: string }; downwardAPI?: { items?: DownwardItem[] } };
  return (sources as Source[]).flatMap(({ configMap, secret, downwardAPI }, index) => {
    const at = `${field}.sources[${index}]`;
    return [
      ...(configMap && !configMap.name ? [required(`${at}.configMap.name`)] : []),
      ...(secret && !secret.name ? [required(`${at}.secret.name`)] : []),
      ...downwardCauses(downwardAPI?.items ?? [], `${at}.downwardAPI`),
    ];
  });
}

function modeCauses(mode: number | undefined, field: string): StatusCause[] {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return [];
  return [invalidValue(field, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

function hostPathCauses({ path, type }: { path?: string; type?: string }, field: string): StatusCause[] {
  if (!path) return [required(`${field}.path`)];
  const causes = path.split("/").includes("..") ? [invalidValue(`${field}.path`, path, "must not contain '..'")] : [];
  if (type !== undefined && !hostPathTypes.includes(type)) {
    causes.push(notSupported(`${field}.type`, type, hostPathTypes));
  }
  return causes;
}

const [leastTokenSeconds, mostTokenSeconds] = [600, 2 ** 32];

function tokenCauses(sources: unknown[], field: string): StatusCause[] {
  return (sources as { serviceAccountToken?: { path?: string; expirationSeconds?: number } }[]).flatMap(
    ({ serviceAccountToken: token }, index) => {
      if (!token) return [];
      const at = `${field}.sources[${index}].serviceAccountToken`;
      const causes = insideCauses(token.path, `${at}.path`);
      const { expirationSeconds: seconds } = token;
      if (seconds !== undefined && seconds < leastTokenSeconds) {
        const detail = "may not specify a duration less than 10 minutes";
        causes.push(invalidValue(`${at}.expirationSeconds`, seconds, detail));
      } else if (seconds !== undefined && seconds > mostTokenSeconds) {
        const detail = "may not specify a duration larger than 2^32 seconds";
        causes.push(invalidValue(`${at}.expirationSeconds`, seconds, detail));
      }
      return causes;
    },
  );
}
