// Which listeners an entrypoint serves. All Gateways share it, so what it does with connections is one thing: what the first
// listener of its port wants, the oldest Gateway's.

import { objectKey } from "@gatehouse/apimachinery/meta";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { Listener } from "@gatehouse/gateway-api/listener";
import { validationOf } from "./frontend-tls.ts";
import { familyOf } from "./listener-conflicts.ts";
import { listOf } from "./problems.ts";
import type { EntryPoint, TranslateOptions } from "./translate-options.ts";

interface Use {
  family: string;
  /** Of a listener that shares its port with no other. */
  owner: string;
  /** How clients' certificates are checked, as text. */
  validation: string;
}

/** By `port/transport`. */
export type EntryPointUses = ReadonlyMap<string, Use>;

export const transportOf = (protocol: string): "tcp" | "udp" => (protocol === "UDP" ? "udp" : "tcp");

/** `byPrecedence`: the listeners of each Gateway with those of its listener sets, the oldest Gateway first. */
export function usesOfEntryPoints(
  byPrecedence: Iterable<{ gateway: Gateway; listeners: Iterable<Listener> }>,
): EntryPointUses {
  const uses = new Map<string, Use>();
  for (const { gateway, listeners } of byPrecedence) {
    for (const listener of listeners) {
      const use = useOf(listener, gateway);
      const key = `${listener.port}/${transportOf(listener.protocol)}`;
      if (use && !uses.has(key)) uses.set(key, use);
    }
  }
  return uses;
}

function useOf({ protocol, port }: Listener, gateway: Gateway): Use | undefined {
  const family = familyOf(protocol);
  if (!family) return undefined;
  const settings = family === "TLS" ? validationOf(gateway, port) : undefined;
  return {
    family,
    owner: family === "TCP" || family === "UDP" ? objectKey(gateway) : "",
    validation: settings ? JSON.stringify([gateway.metadata.namespace, settings.validation]) : "",
  };
}

/** The entrypoint that serves the listener, or why none does, as the rest of a sentence and a remedy. */
export function entryPointFor(
  listener: Listener,
  gateway: Gateway,
  uses: EntryPointUses,
  { entryPoints, reservedPorts }: TranslateOptions,
): EntryPoint | { reason: string } {
  const { port, protocol } = listener;
  const transport = transportOf(protocol);
  const present = entryPoints.find((each) => each.port === port && (each.transport ?? "tcp") === transport);
  const wanted = useOf(listener, gateway);
  const actual = uses.get(`${port}/${transport}`);
  if (present) {
    const why = wanted && actual && differenceOf(wanted, actual, protocol);
    return why ? { reason: `entrypoint "${present.name}" ${why}: use another port` } : present;
  }
  const usable = entryPoints.filter((each) => (each.transport ?? "tcp") === transport);
  const known = listOf(usable.map((each) => `${each.name} (port ${each.port})`));
  const owner = transport === "tcp" ? reservedPorts.get(port) : undefined;
  const why = owner ? `entrypoint "${owner}" keeps port ${port} for the API` : `no entrypoint has port ${port}`;
  return { reason: `${why}: set the listener's port to an entrypoint's: ${known}` };
}

function differenceOf(wanted: Use, actual: Use, protocol: string): string | undefined {
  if (wanted.family !== actual.family) return `speaks another protocol than ${protocol} for an older Gateway`;
  if (wanted.owner !== actual.owner) return `gives all its traffic to an older Gateway`;
  if (wanted.validation !== actual.validation) return `checks client certificates differently for an older Gateway`;
  return undefined;
}
