// The command line of the gateway, read as Traefik reads its own. What cannot be honoured is named in a warning, never
// silently dropped and never fatal.

import {
  type ConfigurationDraft,
  type EntryPointConfiguration,
  internalEntryPoint,
  newEntryPoint,
  type StaticConfiguration,
} from "./static-configuration.ts";
import { staticFlags } from "./static-flags.ts";

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
  if (!draft.configuration.kubernetesGateway.enabled) {
    draft.warnings.push(
      "--providers.kubernetesgateway is not set, but it is the only provider here: it is used all the same",
    );
  }
  return { configuration: finish(draft), warnings: draft.warnings };
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
  for (const { name, port } of all) {
    if (port === 0) warnings.push(`entrypoint ${name} has no address: set --entryPoints.${name}.address`);
  }
  const open: EntryPointConfiguration[] = all
    .filter(({ port }) => port !== 0)
    .map(({ name, host, port, udp, trustedIPs }) => ({ name, host, port, ...(udp ? { udp } : {}), trustedIPs }));
  if (open.length === 0) open.push(newEntryPoint("http", 80));
  const internals = [
    configuration.ping,
    configuration.prometheus,
    configuration.api.insecure ? internalEntryPoint : "",
  ];
  const needsInternal = internals.some((name) => name.toLowerCase() === internalEntryPoint);
  if (needsInternal && !open.some(({ name }) => name.toLowerCase() === internalEntryPoint)) {
    open.push(newEntryPoint(internalEntryPoint, 8080));
  }
  return { ...configuration, entryPoints: open };
}
