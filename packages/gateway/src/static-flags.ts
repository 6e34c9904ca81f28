// Every flag of Traefik that the gateway knows: what it does here, or that it has no effect. The Traefik chart passes
// many whatever its values are, so those that ask for nothing special are accepted in silence.

import { parseGoDuration } from "@gatehouse/apimachinery/duration";
import {
  type AccessLogConfiguration,
  type ConfigurationDraft,
  type EntryPointConfiguration,
  internalEntryPoint,
  newEntryPoint,
} from "./static-configuration.ts";

type Effect = (draft: ConfigurationDraft, value: string, found: readonly string[]) => void;

/** `none`: nothing is lost by not doing it. `unsupported`: say so, unless the value is `false`. */
export interface StaticFlag {
  pattern: RegExp;
  effect: Effect | "none" | "unsupported";
}

/** `name` as in Traefik's reference, with `*` for a name the user chose; a trailing `**` stands for everything below. */
function flag(name: string, effect: StaticFlag["effect"]): StaticFlag {
  const open = name.endsWith(".**");
  const source = (open ? name.slice(0, -3) : name).replaceAll(".", "\\.").replaceAll("*", "([^.]+)");
  return { pattern: new RegExp(`^${source}${open ? "(?:[.[].*)?" : ""}$`, "i"), effect };
}

const isTrue = (value: string): boolean => ["true", "1", "t", ""].includes(value.toLowerCase());
const listFrom = (value: string): string[] =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

function entryPoint(draft: ConfigurationDraft, name = ""): EntryPointConfiguration {
  const key = name.toLowerCase();
  const present: EntryPointConfiguration = draft.entryPoints.get(key) ?? newEntryPoint(name);
  draft.entryPoints.set(key, present);
  return present;
}

function accessLog({ configuration }: ConfigurationDraft): AccessLogConfiguration {
  return (configuration.accessLog ??= {
    format: "common",
    filePath: "",
    fields: { defaultMode: "keep", names: new Map() },
    filters: { statusCodes: [], retryAttempts: false },
  });
}

/** Traefik's durations: Go's, or whole seconds. */
function milliseconds(draft: ConfigurationDraft, value: string, name: string): number | undefined {
  const parsed = /^\d+$/.test(value) ? Number(value) * 1000 : parseGoDuration(value);
  if (parsed === undefined) draft.warnings.push(`--${name}: "${value}" is not a duration such as 10s`);
  return parsed;
}

const setAddress: Effect = (draft, value, [name, entryPointName]) => {
  const found = /^(.*):(\d+)(?:\/(tcp|udp))?$/i.exec(value);
  if (!found) {
    draft.warnings.push(`--${name}: "${value}" is not an address such as :8000/tcp`);
    return;
  }
  const target = entryPoint(draft, entryPointName);
  target.host = (found[1] ?? "").replace(/^\[|\]$/g, "");
  target.port = Number(found[2]);
  target.udp = found[3]?.toLowerCase() === "udp";
};

const setFormat: Effect = (draft, value, [name]) => {
  const formats = ["common", "genericCLF", "json"] as const;
  const format = formats.find((each) => each.toLowerCase() === value.toLowerCase());
  if (format) accessLog(draft).format = format;
  else draft.warnings.push(`--${name}: "${value}" is not one of ${formats.join(", ")}`);
};

const setStatusCodes: Effect = (draft, value, [name]) => {
  for (const range of listFrom(value)) {
    const [from = NaN, to = from] = range.split("-").map(Number);
    if (Number.isInteger(from) && Number.isInteger(to)) accessLog(draft).filters.statusCodes.push([from, to]);
    else draft.warnings.push(`--${name}: "${range}" is not a status or range such as 400-499`);
  }
};

const setHeadersMode: Effect = ({ warnings }, value, [name]) => {
  if (value.toLowerCase() !== "drop") warnings.push(`--${name}=${value}: request headers are not logged`);
};

const entryPointFlags: StaticFlag[] = [
  flag("entryPoints.*.address", setAddress),
  flag("entryPoints.*.forwardedHeaders.trustedIPs", (draft, value, [, name]) => {
    entryPoint(draft, name).trustedIPs = listFrom(value);
  }),
  flag("entryPoints.*.forwardedHeaders.insecure", (draft, value, [, name]) => {
    if (isTrue(value)) entryPoint(draft, name).trustedIPs = ["0.0.0.0/0", "::/0"];
  }),
  flag("entryPoints.*.transport.lifeCycle.requestAcceptGraceTimeout", (draft, value, [name = ""]) => {
    const ms = milliseconds(draft, value, name);
    if (ms !== undefined) draft.configuration.shutdown.acceptMs = ms;
  }),
  flag("entryPoints.*.transport.lifeCycle.graceTimeOut", (draft, value, [name = ""]) => {
    const ms = milliseconds(draft, value, name);
    if (ms !== undefined) draft.configuration.shutdown.graceMs = ms;
  }),
  flag("entryPoints.*.asDefault", "none"),
  // A Gateway's listener says whether it is TLS; these concern routers of other providers.
  flag("entryPoints.*.http.tls.**", "none"),
  flag("entryPoints.*.observability.**", "none"),
  flag("entryPoints.*.allowACMEByPass", "none"),
  flag("entryPoints.*.**", "unsupported"),
];

const provider = "providers.kubernetesGateway";

const providerFlags: StaticFlag[] = [
  flag(provider, ({ configuration }, value) => void (configuration.kubernetesGateway.enabled = isTrue(value))),
  flag(`${provider}.namespaces`, ({ configuration }, value) => {
    configuration.kubernetesGateway.namespaces = listFrom(value);
  }),
  flag(`${provider}.labelSelector`, ({ configuration }, value) => {
    configuration.kubernetesGateway.labelSelector = value;
  }),
  flag(`${provider}.statusAddress.ip`, ({ configuration }, value) => {
    configuration.kubernetesGateway.statusAddress.ip = value;
  }),
  flag(`${provider}.statusAddress.hostname`, ({ configuration }, value) => {
    configuration.kubernetesGateway.statusAddress.hostname = value;
  }),
  flag(`${provider}.statusAddress.service.name`, ({ configuration }, value) => {
    configuration.kubernetesGateway.statusAddress.service.name = value;
  }),
  flag(`${provider}.statusAddress.service.namespace`, ({ configuration }, value) => {
    configuration.kubernetesGateway.statusAddress.service.namespace = value;
  }),
  flag(`${provider}.endpoint`, ({ configuration }, value) => void (configuration.kubernetesGateway.endpoint = value)),
  flag(`${provider}.token`, ({ configuration }, value) => void (configuration.kubernetesGateway.token = value)),
  flag(`${provider}.certAuthFilePath`, ({ configuration }, value) => {
    configuration.kubernetesGateway.certAuthFilePath = value;
  }),
  flag(`${provider}.throttleDuration`, "none"),
  flag(`${provider}.nativeLBByDefault`, "unsupported"),
  flag(`${provider}.experimentalChannel`, "unsupported"),
  flag("providers.**", "unsupported"),
];

const apiFlags: StaticFlag[] = [
  flag("api", "none"),
  flag("api.dashboard", ({ configuration }, value) => void (configuration.api.dashboard = isTrue(value))),
  flag("api.insecure", ({ configuration }, value) => void (configuration.api.insecure = isTrue(value))),
  flag("api.disableDashboardAd", "none"),
  flag("api.**", "unsupported"),
  flag("ping", ({ configuration }, value) => {
    configuration.ping = isTrue(value) ? configuration.ping || internalEntryPoint : "";
  }),
  flag("ping.entryPoint", ({ configuration }, value) => void (configuration.ping = value)),
  flag("ping.**", "unsupported"),
  flag("metrics.prometheus", ({ configuration }, value) => {
    configuration.prometheus = isTrue(value) ? configuration.prometheus || internalEntryPoint : "";
  }),
  flag("metrics.prometheus.entryPoint", ({ configuration }, value) => void (configuration.prometheus = value)),
  flag("metrics.prometheus.add*Labels", "none"),
  flag("metrics.addInternals", "none"),
  flag("metrics.**", "unsupported"),
];

const logFlags: StaticFlag[] = [
  flag("accessLog", (draft, value) => {
    if (isTrue(value)) accessLog(draft);
    else delete draft.configuration.accessLog;
  }),
  flag("accessLog.format", setFormat),
  flag("accessLog.filePath", (draft, value) => void (accessLog(draft).filePath = value)),
  flag("accessLog.fields.defaultMode", (draft, value) => void (accessLog(draft).fields.defaultMode = value)),
  flag("accessLog.fields.names.*", (draft, value, [, name = ""]) => {
    accessLog(draft).fields.names.set(name.toLowerCase(), value.toLowerCase());
  }),
  flag("accessLog.fields.headers.defaultMode", setHeadersMode),
  flag("accessLog.fields.headers.names.*", setHeadersMode),
  flag("accessLog.filters.statusCodes", setStatusCodes),
  flag("accessLog.filters.minDuration", (draft, value, [name = ""]) => {
    const ms = milliseconds(draft, value, name);
    if (ms !== undefined) accessLog(draft).filters.minDurationMs = ms;
  }),
  flag("accessLog.filters.retryAttempts", (draft, value) => {
    accessLog(draft).filters.retryAttempts = isTrue(value);
  }),
  flag("accessLog.bufferingSize", "none"),
  flag("accessLog.addInternals", "none"),
  flag("accessLog.**", "unsupported"),
  flag("log.level", ({ configuration }, value) => void (configuration.logLevel = value.toUpperCase())),
  flag("log.noColor", "none"),
  flag("log.**", "unsupported"),
];

/** The first that fits a name counts. */
export const staticFlags: readonly StaticFlag[] = [
  ...entryPointFlags,
  ...providerFlags,
  ...apiFlags,
  ...logFlags,
  flag("global.**", "none"),
  ...["certificatesResolvers", "core", "experimental", "hostResolver", "hub", "ocsp", "serversTransport", "spiffe"].map(
    (name) => flag(`${name}.**`, "unsupported"),
  ),
  flag("tcpServersTransport.**", "unsupported"),
  flag("tracing.**", "unsupported"),
];
