// The command line of the gateway: Traefik's static configuration, as far as the gateway can honour it. What it cannot is
// named in a warning, never silently dropped and never fatal.

import { staticFlags } from "./static-flags.ts";

export interface EntryPointConfiguration {
  name: string;
  /** Address to bind; empty for all the pod has. */
  host: string;
  port: number;
  /** CIDRs whose X-Forwarded-* headers are believed. */
  trustedIPs: string[];
}

export interface AccessLogConfiguration {
  format: "common" | "genericCLF" | "json";
  /** Empty for standard output. */
  filePath: string;
  /** JSON only: fields to leave out, or all but those to keep. */
  fields: { defaultMode: string; names: Map<string, string> };
  /** A request that passes none of these is not logged; without any, all are. */
  filters: { statusCodes: [from: number, to: number][]; minDurationMs?: number; retryAttempts: boolean };
}

export interface StaticConfiguration {
  entryPoints: EntryPointConfiguration[];
  kubernetesGateway: {
    enabled: boolean;
    /** Empty for all. */
    namespaces: string[];
    labelSelector: string;
    statusAddress: { ip: string; hostname: string; service: { name: string; namespace: string } };
    endpoint: string;
    token: string;
    certAuthFilePath: string;
  };
  api: { dashboard: boolean; insecure: boolean };
  /** Name of the entrypoint; empty when off. */
  ping: string;
  /** Name of the entrypoint of /metrics; empty when off. */
  prometheus: string;
  accessLog?: AccessLogConfiguration;
  logLevel: string;
  /** Milliseconds: how long to go on accepting after SIGTERM, then how long requests may take to finish. */
  shutdown: { acceptMs: number; graceMs: number };
}

/** The entrypoint that serves API, dashboard and ping when no other is named. */
export const internalEntryPoint = "traefik";

const defaultShutdown = { acceptMs: 150, graceMs: 800 };

export interface ParsedConfiguration {
  configuration: StaticConfiguration;
  /** One sentence each. */
  warnings: string[];
}

/** Never throws: what cannot be read is left at its default, with a warning. */
export function parseStaticConfiguration(argv: readonly string[]): ParsedConfiguration {
  const draft: ConfigurationDraft = { configuration: defaults(), entryPoints: new Map(), warnings: [] };
  const unknown: string[] = [];
  const unsupported: string[] = [];
  for (const { name, value } of flagsOf(argv)) {
    const flag = staticFlags.find(({ pattern }) => pattern.test(name));
    if (!flag) unknown.push(`--${name}`);
    else if (flag.effect === "unsupported") {
      if (value.toLowerCase() !== "false") unsupported.push(`--${name}`);
    } else if (flag.effect !== "none") flag.effect(draft, value, flag.pattern.exec(name) ?? [name]);
  }
  if (unsupported.length > 0) draft.warnings.push(`flags of Traefik without effect here: ${unsupported.join(", ")}`);
  if (unknown.length > 0) draft.warnings.push(`unknown flags: ${unknown.join(", ")}`);
  return { configuration: finish(draft), warnings: draft.warnings };
}

export type DraftEntryPoint = EntryPointConfiguration & { udp?: boolean };

/** What flags work on: entrypoints take shape over several flags, in any order. */
export interface ConfigurationDraft {
  configuration: StaticConfiguration;
  /** By lower-case name. */
  entryPoints: Map<string, DraftEntryPoint>;
  warnings: string[];
}

function defaults(): StaticConfiguration {
  return {
    entryPoints: [],
    kubernetesGateway: {
      enabled: false,
      namespaces: [],
      labelSelector: "",
      statusAddress: { ip: "", hostname: "", service: { name: "", namespace: "" } },
      endpoint: "",
      token: "",
      certAuthFilePath: "",
    },
    api: { dashboard: true, insecure: false },
    ping: "",
    prometheus: "",
    logLevel: "INFO",
    shutdown: { ...defaultShutdown },
  };
}

/** `--a=b`, `--a b` and `-a`; names keep their case here and are compared without it, as in Traefik. */
function flagsOf(argv: readonly string[]): { name: string; value: string }[] {
  const flags: { name: string; value: string }[] = [];
  for (let index = 0; index < argv.length; index++) {
    const text = argv[index] ?? "";
    const name = text.replace(/^--?/, "");
    if (name === text) continue;
    const equals = name.indexOf("=");
    const next = argv[index + 1];
    if (equals >= 0) flags.push({ name: name.slice(0, equals), value: name.slice(equals + 1) });
    else if (next !== undefined && !next.startsWith("-")) flags.push({ name, value: argv[++index] ?? "" });
    else flags.push({ name, value: "true" });
  }
  return flags;
}

function finish({ configuration, entryPoints, warnings }: ConfigurationDraft): StaticConfiguration {
  const all = [...entryPoints.values()];
  for (const { name, udp, port } of all) {
    if (udp) warnings.push(`entrypoint ${name} is UDP, which is not supported: it is not opened`);
    else if (port === 0) warnings.push(`entrypoint ${name} has no address: set --entryPoints.${name}.address`);
  }
  const open = all.filter(({ udp, port }) => !udp && port !== 0).map(({ udp: _, ...entryPoint }) => entryPoint);
  if (open.length === 0) open.push(newEntryPoint("http", 80));
  const internals = [configuration.ping, configuration.prometheus, configuration.api.insecure ? internalEntryPoint : ""];
  const needsInternal = internals.some((name) => name.toLowerCase() === internalEntryPoint);
  if (needsInternal && !open.some(({ name }) => name.toLowerCase() === internalEntryPoint)) {
    open.push(newEntryPoint(internalEntryPoint, 8080));
  }
  return { ...configuration, entryPoints: open };
}

export function newEntryPoint(name: string, port = 0): EntryPointConfiguration {
  return { name, host: "", port, trustedIPs: [] };
}
