// What `gatehouse doctor` found out about this machine: plain data, gathered by collect-facts.ts and judged by diagnose.ts.

import type { PortWish } from "../host-ports.ts";

export interface Facts {
  platform: NodeJS.Platform;
  /** As Node calls it: x64, arm64, ... */
  architecture: string;
  /** Without the leading v. */
  nodeVersion: string;
  tools: Record<ToolName, ToolFact>;
  engine: EngineFact;
  ports: PortFact[];
  /** The system's code where an address of 127.0.0.0/8 other than 127.0.0.1 cannot be opened. */
  loopbackRefusal?: string;
  names: NamesFact;
  /** Linux's limits per user; undefined where there are none or they cannot be read. */
  inotify?: { watches: number; instances: number };
  /** Where clusters keep their state. */
  disk?: DiskFact;
  /** `availableBytes` is left out where the system's number means little (macOS counts caches as used). */
  memory: { totalBytes: number; availableBytes?: number };
  proxy: ProxyFact;
}

export type ToolName = "kind" | "kubectl" | "helm";

export type ToolFact =
  | { state: "found"; version: string }
  | { state: "missing" }
  | { state: "hung"; limitMs: number }
  /** It is there, and failed or printed something else than its version. */
  | { state: "broken"; message: string };

/** The last two are nerdctl in a virtual machine; kind uses them only where KIND_EXPERIMENTAL_PROVIDER says so. */
export type EngineName = "docker" | "podman" | "nerdctl" | "finch" | "nerdctl.lima";

/** The container engine that kind would use. */
export interface EngineFact {
  name: EngineName;
  answer:
    | { state: "ready"; info: EngineInfo }
    | { state: "missing" }
    | { state: "hung"; limitMs: number }
    /** `down`: nobody listens; `denied`: this user may not; `broken`: anything else. The message is the tool's own. */
    | { state: "down" | "denied" | "broken"; message: string };
  /** What the client talks to, e.g. `unix:///var/run/docker.sock`; only Docker has it. */
  endpoint?: string;
  /** The client comes from a snap package. */
  snap: boolean;
  /** Other engines that kind could use and whose client is there. */
  others: EngineName[];
}

export interface EngineInfo {
  version: string;
  /** `linux` or `windows`: what its containers run on. */
  containerOs: string;
  /** E.g. `Docker Desktop`, `Ubuntu 24.04`. */
  operatingSystem: string;
  cpus: number;
  memoryBytes: number;
  /** 1 or 2; 0 where the engine does not say. */
  cgroupVersion: number;
  rootless: boolean;
  /** Containers can be limited in memory, processes and CPU, which kind demands of a rootless engine. */
  limits: boolean;
  /** It has a proxy for its own pulls. */
  hasProxy: boolean;
  /** Space where images are kept; undefined where that is inside a virtual machine, or elsewhere. */
  disk?: DiskFact;
}

export interface PortFact {
  wish: PortWish;
  /** The host port in question: the chosen one, else the preferred one. */
  port: number;
  /** The system's code why it cannot be opened here, e.g. `EADDRINUSE`; undefined when it can. */
  refusal?: string;
  holder?: PortHolder;
}

export type PortHolder =
  /** `nginx (pid 12)`. */
  | { what: "process"; name: string }
  | { what: "container"; name: string; engine: EngineName }
  /** A cluster of ours, or any kind cluster. */
  | { what: "cluster"; name: string; provider: "embedded" | "kind" };

/** Hostname to addresses, or to the resolver's code; undefined when the resolver did not answer in time. */
export type NamesFact = Record<string, string[] | string> | undefined;

export interface DiskFact {
  path: string;
  freeBytes: number;
}

export interface ProxyFact {
  /** Host and port of each proxy (never its credentials) by the variable that names it. */
  servers: Record<string, string>;
  /** The entries of NO_PROXY and no_proxy. */
  exceptions: string[];
}
