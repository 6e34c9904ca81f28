// What the files of a volume are to be: pure, from the volume's spec and the objects it names.

import type { ConfigMap, KeyToPath, Pod, Secret, Volume } from "@gatehouse/apimachinery/types/core-v1";
import { type PodFacts, podField, resourceField } from "../pods/field-reference.ts";
import type { VolumeFiles } from "./atomic-directory.ts";

export interface VolumeSources {
  pod: Pod;
  facts: PodFacts;
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  /** The current token for an audience (empty: the API server's). */
  token(request: TokenProjection): string;
}

export interface TokenProjection {
  audience?: string;
  expirationSeconds?: number;
}

interface ObjectProjection {
  name: string;
  items?: KeyToPath[];
  optional?: boolean;
}

interface DownwardItem {
  path: string;
  mode?: number;
  fieldRef?: { fieldPath: string };
  resourceFieldRef?: { resource: string; containerName?: string; divisor?: string };
}

export interface ProjectedSource {
  configMap?: ObjectProjection;
  secret?: ObjectProjection;
  downwardAPI?: { items?: DownwardItem[] };
  serviceAccountToken?: TokenProjection & { path: string };
}

/** The volume cannot be set up (yet); the pod waits in ContainerCreating with a FailedMount event. */
export class VolumeError extends Error {
  constructor(volume: string, reason: string) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${reason}`);
  }
}

export function projectedSources(volume: Volume): ProjectedSource[] {
  return volume.projected?.sources ?? [];
}

/** The token requests of a pod's volumes. */
export function tokenProjections(pod: Pod): TokenProjection[] {
  return (pod.spec.volumes ?? []).flatMap(projectedSources).flatMap((source) => source.serviceAccountToken ?? []);
}

/** The files of a volume, undefined for an emptyDir, whose files are the pod's own. Throws a VolumeError. */
export function volumeFiles(volume: Volume, sources: VolumeSources): VolumeFiles | undefined {
  const files: VolumeFiles = new Map();
  const into = { volume: volume.name, files, sources };
  if (volume.emptyDir) return undefined;
  if (volume.configMap) addConfigMap(into, volume.configMap, volume.configMap.defaultMode);
  else if (volume.secret)
    addSecret(into, { ...volume.secret, name: volume.secret.secretName }, volume.secret.defaultMode);
  else if (volume.downwardAPI) addDownward(into, volume.downwardAPI.items);
  else if (volume.projected) {
    for (const source of projectedSources(volume)) addProjected(into, source, volume.projected.defaultMode);
  } else throw new VolumeError(volume.name, unsupported(volume));
  return files;
}

interface Target {
  volume: string;
  files: VolumeFiles;
  sources: VolumeSources;
}

function unsupported(volume: Volume): string {
  const kind = Object.keys(volume).find((key) => key !== "name") ?? "this kind";
  const supported = "emptyDir, configMap, secret, projected, downwardAPI";
  return `${kind} volumes are not supported by the built-in kubelet; supported are: ${supported}`;
}

function addProjected(into: Target, source: ProjectedSource, defaultMode: number | undefined): void {
  if (source.configMap) addConfigMap(into, source.configMap, defaultMode);
  else if (source.secret) addSecret(into, source.secret, defaultMode);
  else if (source.downwardAPI) addDownward(into, source.downwardAPI.items);
  else if (source.serviceAccountToken) {
    // Only the pod's own user may read it, whatever the default mode says.
    add(into, source.serviceAccountToken.path, Buffer.from(into.sources.token(source.serviceAccountToken)), 0o600);
  } else throw new VolumeError(into.volume, `projected source ${Object.keys(source)[0]} is not supported`);
}

function addConfigMap(into: Target, projection: ObjectProjection, defaultMode = 0o644): void {
  const found = into.sources.configMap(projection.name);
  const data = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(found?.data ?? {})) data.set(key, Buffer.from(value));
  for (const [key, value] of Object.entries(found?.binaryData ?? {})) data.set(key, Buffer.from(value, "base64"));
  addKeys(into, "configmap", projection, found ? data : undefined, defaultMode);
}

function addSecret(into: Target, projection: ObjectProjection, defaultMode = 0o600): void {
  const found = into.sources.secret(projection.name);
  const entries = Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64")] as const);
  addKeys(into, "secret", projection, found ? new Map(entries) : undefined, defaultMode);
}

function addKeys(
  into: Target,
  kind: string,
  { name, items, optional }: ObjectProjection,
  data: Map<string, Buffer> | undefined,
  defaultMode: number,
): void {
  if (!data) {
    if (optional) return;
    throw new VolumeError(into.volume, `${kind} "${name}" not found`);
  }
  if (!items) {
    for (const [key, value] of data) add(into, key, value, defaultMode);
    return;
  }
  for (const { key, path, mode } of items) {
    const value = data.get(key);
    if (value) add(into, path, value, mode ?? defaultMode);
    else if (!optional) throw new VolumeError(into.volume, `${kind} "${name}" references non-existent key: ${key}`);
  }
}

function addDownward(into: Target, items: DownwardItem[] = []): void {
  const { pod, facts } = into.sources;
  for (const { path, mode, fieldRef, resourceFieldRef } of items) {
    const container = pod.spec.containers.find((candidate) => candidate.name === resourceFieldRef?.containerName);
    const value = fieldRef
      ? podField(pod, facts, fieldRef.fieldPath)
      : resourceFieldRef && container
        ? resourceField(container, resourceFieldRef.resource, resourceFieldRef.divisor)
        : undefined;
    if (value === undefined) throw new VolumeError(into.volume, `unsupported downward API item for ${path}`);
    add(into, path, Buffer.from(value), mode ?? 0o644);
  }
}

function add({ volume, files }: Target, path: string, data: Buffer, mode: number): void {
  const parts = path.split("/");
  // Empty parts and `.` name a directory, and no file system takes a NUL.
  const odd = parts.some((part) => part === "" || part === "." || part === "..");
  if (odd || parts[0]?.startsWith("..") || path.includes("\0")) {
    throw new VolumeError(volume, `the path ${JSON.stringify(path)} must be relative and stay inside the volume`);
  }
  // Kubernetes takes 0 to 0777; setuid and its like would be the user's own on this host.
  files.set(path, { data, mode: mode & 0o777 });
}
