// The volumes of one pod on disk: written before its containers start, rewritten when their objects change.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Container, Volume } from "@gatehouse/apimachinery/types/core-v1";
import { type VolumeFiles, writeAtomically } from "./atomic-directory.ts";
import { VolumeError, volumeFiles, type VolumeSources } from "./volume-payload.ts";

export interface PodVolumes {
  /** Brings every volume up to date. Throws the first VolumeError, the volumes before it written. */
  sync(): void;
  /** Where the mounts of a container really are: mountPath -> directory or file. Throws a VolumeError. */
  mounts(container: Container): Record<string, string>;
  /** The mount paths of a container that may be written to: of volumes that are the pod's own (emptyDir), unless mounted
   * read-only. Kubernetes writes the others itself, and lets nobody else. */
  writable(container: Container): string[];
}

const volumeName = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

export function createPodVolumes(directory: string, volumes: Volume[], sources: () => VolumeSources): PodVolumes {
  const written = new Map<string, VolumeFiles>();
  // Names come from pod specs, and what is written at a place replaces everything that was there.
  const place = (name: string): string => {
    if (!volumeName.test(name))
      throw new VolumeError(name, "a volume's name is lower-case letters, digits and hyphens");
    return join(directory, name);
  };
  return {
    sync: () => {
      for (const volume of volumes) {
        const files = volumeFiles(volume, sources());
        if (!files) mkdirSync(place(volume.name), { recursive: true, mode: 0o777 });
        else if (!sameFiles(written.get(volume.name), files)) {
          writeAtomically(place(volume.name), files);
          written.set(volume.name, files);
        }
      }
    },
    mounts: (container) => {
      const mounts: Record<string, string> = {};
      for (const { name, mountPath, subPath = "" } of container.volumeMounts ?? []) {
        if (!volumes.some((volume) => volume.name === name)) throw new VolumeError(name, "the pod has no such volume");
        if (subPath.startsWith("/") || subPath.split("/").includes("..")) {
          throw new VolumeError(name, `the subPath "${subPath}" must be relative and stay inside the volume`);
        }
        mounts[mountPath] = join(place(name), subPath);
      }
      return mounts;
    },
    writable: (container) => {
      // Of two at the same path the last one counts, as in `mounts`.
      const last = new Map((container.volumeMounts ?? []).map((mount) => [mount.mountPath, mount]));
      const isOwn = (name: string): boolean => volumes.some((volume) => volume.name === name && volume.emptyDir);
      return [...last.values()]
        .filter(({ name, readOnly }) => !readOnly && isOwn(name))
        .map(({ mountPath }) => mountPath);
    },
  };
}

function sameFiles(a: VolumeFiles | undefined, b: VolumeFiles): boolean {
  if (!a || a.size !== b.size) return false;
  return [...b].every(([path, file]) => {
    const other = a.get(path);
    return other !== undefined && other.mode === file.mode && other.data.equals(file.data);
  });
}
