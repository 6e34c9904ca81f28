// Traefik's static configuration, as far as the gateway can honour it, and the draft of it that flags work on.

export interface EntryPointConfiguration {
  name: string;
  /** Address to bind; empty for all the pod has. */
  host: string;
  port: number;
  /** For datagrams. */
  udp?: boolean;
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

/** What flags work on: entrypoints take shape over several flags, in any order. */
export interface ConfigurationDraft {
  configuration: StaticConfiguration;
  /** By lower-case name. */
  entryPoints: Map<string, EntryPointConfiguration>;
  warnings: string[];
}

export function newEntryPoint(name: string, port = 0): EntryPointConfiguration {
  return { name, host: "", port, trustedIPs: [] };
}
