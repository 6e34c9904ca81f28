// The images this node can run: programs of ours that play well-known images. Nothing is ever downloaded.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { imageRepository } from "./image-reference.ts";

/** One program that plays an image. */
export interface Image {
  /** Short name for `ps`, e.g. `whoami`. */
  name: string;
  /** The argv that starts it: node and its script. A container's `args` are appended. */
  entry: string[];
  /** The ENTRYPOINT and CMD program names of the real image: a container's `command` may repeat one of them. */
  commands?: string[];
  /** True when the first word of `command` chooses what the program does, and so is passed on. */
  namesApplet?: boolean;
  /** Ports that the program opens although pod specs often do not declare them, e.g. `53/udp` (EXPOSE in a Dockerfile). */
  exposedPorts?: string[];
  /** Variables set before the pod's own. */
  environment?: Record<string, string>;
}

export interface ImageCatalog {
  /** The image that plays `reference`, whatever its tag or digest; undefined when none does or it is malformed. */
  resolve(reference: string): Image | undefined;
  /** Names for messages, e.g. `traefik/whoami`. */
  readonly names: string[];
}

/** An image together with the repository names it answers to (short names as `docker pull` takes them). */
export interface CatalogEntry extends Image {
  repositories: string[];
}

/** The built-in images plus `extra`, which wins where both claim a name. Throws an Error on a malformed repository. */
export function createImageCatalog(extra: CatalogEntry[] = []): ImageCatalog {
  const byRepository = new Map<string, Image>();
  const entries = [...builtInImages(), ...extra];
  for (const { repositories, ...image } of entries) {
    for (const name of repositories) {
      const repository = imageRepository(name);
      if (!repository) throw new Error(`"${name}" is not an image name`);
      byRepository.set(repository, image);
    }
  }
  return {
    resolve: (reference) => byRepository.get(imageRepository(reference) ?? ""),
    names: [...new Set(entries.flatMap((entry) => entry.repositories))],
  };
}

const applets = ["true", "false", "echo", "sleep"];

function builtInImages(): CatalogEntry[] {
  const exposedPorts = ["3000/tcp", "3001/tcp", "8443/tcp", "8080/udp"];
  const echo = { name: "echo-basic", entry: nodeEntry("echo-basic"), exposedPorts };
  return [
    {
      name: "whoami",
      repositories: ["traefik/whoami", "containous/whoami", "ghcr.io/traefik/whoami"],
      entry: nodeEntry("whoami"),
      commands: ["/whoami", "whoami"],
      exposedPorts: ["80/tcp"],
    },
    {
      ...echo,
      repositories: ["gcr.io/k8s-staging-gateway-api/echo-basic", "registry.k8s.io/gateway-api/echo-basic"],
      commands: ["/echo-basic", "echo-basic"],
    },
    {
      ...echo,
      repositories: ["gcr.io/k8s-staging-gateway-api/echo-advanced", "registry.k8s.io/gateway-api/echo-advanced"],
      commands: ["/echo-advanced", "echo-advanced", "/echo-basic", "echo-basic"],
    },
    {
      name: "coredns",
      repositories: ["registry.k8s.io/coredns/coredns", "coredns/coredns"],
      entry: nodeEntry("coredns"),
      commands: ["/coredns", "coredns"],
      exposedPorts: ["53/udp"],
    },
    {
      name: "busybox",
      repositories: ["busybox"],
      entry: nodeEntry("busybox"),
      commands: applets.flatMap((name) => [name, `/bin/${name}`]),
      namesApplet: true,
    },
    {
      name: "pause",
      repositories: ["registry.k8s.io/pause"],
      entry: [...nodeEntry("busybox"), "sleep", "infinity"],
      commands: ["/pause"],
    },
  ];
}

/** The argv that starts the toolbox, for `kubectl exec`: the name of a program of it and its arguments follow. */
export function toolboxEntry(): string[] {
  return nodeEntry("toolbox");
}

/** Runs from source beside this file, or as built (`images/<name>.js` beside the bundle). */
function nodeEntry(name: string): string[] {
  const here = import.meta.dirname;
  const places = [join(here, "images", `${name}.js`), join(here, `${name}.js`), join(here, `${name}.ts`)];
  return [process.execPath, places.find((place) => existsSync(place)) ?? join(here, `${name}.ts`)];
}
