// The container engine that kind would use (chosen as kind chooses it), whether it answers, and what it says of itself.

import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { EngineFact, EngineInfo, EngineName } from "./facts.ts";
import { type Probe, type ProbeOptions, probeProgram } from "./probe-program.ts";
import { complaint } from "./tool-versions.ts";

/** In the order in which kind looks for them (pkg/cluster/provider.go, DetectNodeProvider). */
const engines: { name: EngineName; banner: RegExp }[] = [
  { name: "docker", banner: /^Docker version/ },
  { name: "nerdctl", banner: /^nerdctl version/ },
  { name: "podman", banner: /^podman version/ },
];

const onRequest: EngineName[] = [...engines.map(({ name }) => name), "finch", "nerdctl.lima"];

export interface EngineProbe {
  fact: EngineFact;
  /** Where the engine keeps images, by its own word. */
  rootDirectory: string | undefined;
}

/** Never rejects. Takes three times `limitMs` at most. */
export async function probeEngine(options: ProbeOptions): Promise<EngineProbe> {
  const present = await presentEngines(options);
  const named = onRequest.find((each) => each === options.environment.KIND_EXPERIMENTAL_PROVIDER);
  const name = named ?? present[0] ?? "docker";
  const [info, endpoint] = await Promise.all([askInfo(name, options), dockerEndpoint(name, options)]);
  const fact: EngineFact = {
    name,
    answer: { state: "missing" },
    ...(endpoint === undefined ? {} : { endpoint }),
    snap: isSnap(name, options.environment),
    others: present.filter((other) => other !== name),
  };
  if (info.outcome === "missing") return { fact, rootDirectory: undefined };
  if (info.outcome === "hung") {
    return { fact: { ...fact, answer: { state: "hung", limitMs: info.limitMs } }, rootDirectory: undefined };
  }
  const said = info.outcome === "ended" && info.code === 0 ? parseInfo(name, info.stdout) : undefined;
  if (!said) {
    return { fact: { ...fact, answer: { state: stateOf(info), message: complaint(info) } }, rootDirectory: undefined };
  }
  return { fact: { ...fact, answer: { state: "ready", info: said.info } }, rootDirectory: said.rootDirectory };
}

/** A `docker` that is podman in disguise says so, and kind then goes on to podman. */
async function presentEngines(options: ProbeOptions): Promise<EngineName[]> {
  const answers = await Promise.all(engines.map(({ name }) => probeProgram(name, ["-v"], options)));
  return engines
    .filter(({ banner }, index) => {
      const answer = answers[index];
      // One that hangs is there too: that it does is what the user has to hear.
      return answer?.outcome === "hung" || (answer?.outcome === "ended" && banner.test(answer.stdout));
    })
    .map(({ name }) => name);
}

function askInfo(name: EngineName, options: ProbeOptions): Promise<Probe> {
  return probeProgram(name, ["info", "--format", name === "podman" ? "json" : "{{json .}}"], options);
}

/** DOCKER_HOST, DOCKER_CONTEXT and the chosen context in one; the daemon is not needed for it. */
async function dockerEndpoint(name: EngineName, options: ProbeOptions): Promise<string | undefined> {
  if (name !== "docker") return undefined;
  const args = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"];
  const answer = await probeProgram("docker", args, options);
  const endpoint = answer.outcome === "ended" && answer.code === 0 ? answer.stdout.trim() : "";
  return /^[a-z]+:\/\/\S*$/.test(endpoint) ? endpoint : undefined;
}

/** Docker 28: "Cannot connect to the Docker daemon at ..."; 29: "failed to connect to the docker API at ...". */
function stateOf(probe: Probe): "down" | "denied" | "broken" {
  const text = probe.outcome === "ended" ? probe.stderr : "";
  if (/permission denied while trying to connect|connect: permission denied/i.test(text)) return "denied";
  return /cannot connect to|failed to connect to|connection refused|is the docker daemon running/i.test(text)
    ? "down"
    : "broken";
}

interface SaidInfo {
  info: EngineInfo;
  rootDirectory: string | undefined;
}

function parseInfo(name: EngineName, text: string): SaidInfo | undefined {
  try {
    const said: unknown = JSON.parse(text);
    if (typeof said !== "object" || said === null) return undefined;
    return name === "podman" ? podmanInfo(said) : dockerInfo(said);
  } catch {
    return undefined;
  }
}

/** The part of `docker info` that is read here; nerdctl prints the same. All of it may be absent. */
interface DockerInfo {
  ServerVersion?: string;
  OSType?: string;
  OperatingSystem?: string;
  NCPU?: number;
  MemTotal?: number;
  CgroupVersion?: string;
  CgroupDriver?: string;
  MemoryLimit?: boolean;
  PidsLimit?: boolean;
  CPUShares?: boolean;
  SecurityOptions?: string[] | null;
  HttpProxy?: string;
  HttpsProxy?: string;
  DockerRootDir?: string;
}

function dockerInfo(said: DockerInfo): SaidInfo | undefined {
  if (!said.ServerVersion) return undefined;
  return {
    info: {
      version: said.ServerVersion,
      containerOs: said.OSType ?? "linux",
      operatingSystem: said.OperatingSystem ?? "",
      cpus: said.NCPU ?? 0,
      memoryBytes: said.MemTotal ?? 0,
      cgroupVersion: Number(said.CgroupVersion ?? 0),
      rootless: (said.SecurityOptions ?? []).some((option) => option.split(",").includes("name=rootless")),
      // Without a driver the three say nothing (moby/moby#42151).
      limits: said.CgroupDriver !== "none" && Boolean(said.MemoryLimit && said.PidsLimit && said.CPUShares),
      hasProxy: Boolean(said.HttpProxy || said.HttpsProxy),
    },
    rootDirectory: said.DockerRootDir || undefined,
  };
}

/** The part of `podman info` that is read here. */
interface PodmanInfo {
  version?: { Version?: string };
  host?: {
    cpus?: number;
    memTotal?: number;
    os?: string;
    cgroupVersion?: string;
    cgroupControllers?: string[] | null;
    distribution?: { distribution?: string; version?: string };
    security?: { rootless?: boolean };
    serviceIsRemote?: boolean;
  };
  store?: { graphRoot?: string };
}

function podmanInfo(said: PodmanInfo): SaidInfo | undefined {
  const { host, store } = said;
  if (!said.version?.Version || !host) return undefined;
  const controllers = host.cgroupControllers ?? [];
  return {
    info: {
      version: said.version.Version,
      containerOs: host.os ?? "linux",
      operatingSystem: `${host.distribution?.distribution ?? ""} ${host.distribution?.version ?? ""}`.trim(),
      cpus: host.cpus ?? 0,
      memoryBytes: host.memTotal ?? 0,
      cgroupVersion: Number(/^v(\d)$/.exec(host.cgroupVersion ?? "")?.[1] ?? 0),
      rootless: host.security?.rootless === true,
      limits: ["memory", "pids", "cpu"].every((controller) => controllers.includes(controller)),
      // podman pulls with the proxy of whoever calls it.
      hasProxy: true,
    },
    rootDirectory: host.serviceIsRemote ? undefined : store?.graphRoot,
  };
}

function isSnap(program: string, environment: NodeJS.ProcessEnv): boolean {
  for (const directory of (environment.PATH ?? "").split(delimiter)) {
    try {
      const path = join(directory, program);
      accessSync(path, constants.X_OK);
      return path.startsWith("/snap/") || realpathSync(path).startsWith("/snap/");
    } catch {
      // Not in this one.
    }
  }
  return false;
}
