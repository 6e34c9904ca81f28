// Where the program's own files are: beside the bundle in dist/ once built, in the source tree otherwise.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const built = import.meta.url.endsWith(".js");

/** The script of the background process. */
export function clusterProgram(): string {
  return built ? join(distDirectory(), "cluster.js") : join(here, "providers/embedded/cluster-main.ts");
}

/** The script of the image `traefik`: our own gateway, or what runs the real one. */
export function gatewayImageProgram(program: "traefik" | "traefik-binary"): string {
  return built ? join(distDirectory(), `images/${program}.js`) : join(here, `images/${program}.ts`);
}

/** The script of one worker of the gateway's proxy. */
export function proxyWorkerProgram(): string {
  return built ? join(distDirectory(), "images/proxy-worker.js") : join(here, "../../gateway/src/worker-main.ts");
}

/** The dashboard's page. From source there is no bundled script, so the built one is used when there is one. */
export function dashboardDirectory(): string {
  return built ? join(distDirectory(), "dashboard") : join(here, "../../../dist/dashboard");
}

/** The demo's manifests: in the checkout, or shipped beside dist/. */
export function manifestsDirectory(): string {
  return join(projectDirectory(), "manifests");
}

/** Values for the Traefik chart, real or rendered here. */
export function traefikValuesFile(): string {
  return join(manifestsDirectory(), "traefik-values.yaml");
}

export function kindConfigFile(): string {
  return join(projectDirectory(), "kind/cluster.yaml");
}

function projectDirectory(): string {
  return built ? dirname(distDirectory()) : join(here, "../../..");
}

/** Chunks and programs lie in dist/ itself, images one level below. */
function distDirectory(): string {
  return existsSync(join(here, "cluster.js")) ? here : dirname(here);
}
