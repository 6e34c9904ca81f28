// Which entrypoints serve Gateways and which the gateway's own pages, and where each is opened.

import { type ListenAddress, listenAddresses } from "@gatehouse/apimachinery/pod-environment";
import { type EntryPointConfiguration, internalEntryPoint, type StaticConfiguration } from "./static-configuration.ts";
import type { InternalParts } from "./traefik-api.ts";
import type { EntryPoint } from "./translate/translate-options.ts";

export interface EntryPointPlan {
  public: EntryPoint[];
  internal: { name: string; addresses: ListenAddress[]; parts: InternalParts }[];
  /** Ports of the internal ones, with their names. */
  reservedPorts: ReadonlyMap<number, string>;
  /** `host:port` of an entrypoint's sockets. */
  addressesOf: (name: string) => string[];
}

/** An entrypoint that ping, metrics or the API name serves nothing else. */
export function planEntryPoints(
  configuration: StaticConfiguration,
  environment: NodeJS.ProcessEnv = process.env,
): EntryPointPlan {
  const { api, ping, prometheus, entryPoints } = configuration;
  const is = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  const planned = entryPoints.map((entryPoint) => ({
    entryPoint,
    addresses: addressesFor(entryPoint, environment),
    parts: {
      api: api.insecure && is(entryPoint.name, internalEntryPoint),
      ping: is(entryPoint.name, ping),
      metrics: is(entryPoint.name, prometheus),
    },
  }));
  const isInternal = ({ parts }: { parts: InternalParts }): boolean => parts.api || parts.ping || parts.metrics;
  const internal = planned.filter(isInternal);
  return {
    public: planned
      .filter((each) => !isInternal(each))
      .map(({ entryPoint: { name, port, udp, trustedIPs }, addresses }) => ({
        name,
        port,
        ...(udp ? { transport: "udp" as const } : {}),
        addresses,
        ...(trustedIPs.length > 0 ? { trustedProxies: trustedIPs } : {}),
      })),
    internal: internal.map(({ entryPoint: { name }, addresses, parts }) => ({ name, addresses, parts })),
    reservedPorts: new Map(internal.map(({ entryPoint }) => [entryPoint.port, entryPoint.name])),
    addressesOf: (name) => {
      const found = planned.find(({ entryPoint }) => entryPoint.name === name);
      return (found?.addresses ?? []).map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`);
    },
  };
}

function addressesFor({ host, port, udp }: EntryPointConfiguration, environment: NodeJS.ProcessEnv): ListenAddress[] {
  return host === "" || host === "0.0.0.0" || host === "::"
    ? listenAddresses(port, udp ? "udp" : "tcp", environment)
    : [{ host, port }];
}
