// The sockets of one Service on the node: opened, kept over changes of the Service, closed.

import { SocketAddress } from "node:net";
import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import { type Admission, type ChooseTargets, openTcpForwarder, type TcpForwarder } from "../network/tcp-forwarder.ts";
import type { Opening } from "./openings.ts";
import { tooManyPlaces } from "./refusal.ts";

export interface ServicePorts {
  /** Opens what is new and closes what is not wanted any more. Afterwards `refused` is up to date. */
  sync(openings: Opening[]): Promise<void>;
  isOpen(opening: Opening): boolean;
  /** Whether a connection to this address would come in here. */
  listensOn(place: ListenAddress): boolean;
  /** The system's codes (`EADDRINUSE`), or `tooManyPlaces`, by place: what could not be opened. */
  readonly refused: ReadonlyMap<ListenAddress, string>;
  /** Closes the ports. Connections go on, as under kube-proxy; resolves when the last has ended. */
  close(): Promise<void>;
  /** Closes the ports and cuts off all connections. */
  destroy(): void;
}

export interface ServicePortsOptions {
  /** Finds the targets of the Service's port of that name. */
  choose: (portName: string) => ChooseTargets;
  /** Asked per connection. */
  connections: Admission;
  /** Asked per place. */
  places: Admission;
}

export function createServicePorts({ choose, connections, places }: ServicePortsOptions): ServicePorts {
  const open = new Map<string, TcpForwarder>();
  /** From before the socket listens until it does not any more. */
  const listening = new Set<string>();
  /** Closed, with connections. */
  const ending = new Set<TcpForwarder>();
  const refused = new Map<ListenAddress, string>();
  /** Which port of the Service a place leads to: it may change while the socket stays. */
  let portNames = new Map<string, string>();

  const close = async (key: string, forwarder: TcpForwarder): Promise<void> => {
    shut(key);
    ending.add(forwarder);
    await forwarder.stopListening();
    ending.delete(forwarder);
  };
  const shut = (key: string): void => {
    open.delete(key);
    listening.delete(key);
    places.leave();
  };
  const openPlace = async (place: ListenAddress): Promise<boolean> => {
    const key = keyOf(place);
    if (open.has(key)) return true;
    if (!places.enter()) {
      refused.set(place, tooManyPlaces);
      return false;
    }
    listening.add(key);
    try {
      const targets: ChooseTargets = (client) => choose(portNames.get(key) ?? "")(client);
      open.set(key, await openTcpForwarder(place, targets, connections));
      return true;
    } catch (error) {
      shut(key);
      refused.set(place, (error as NodeJS.ErrnoException).code ?? (error as Error).message);
      return false;
    }
  };

  return {
    refused,
    isOpen: ({ place }) => open.has(keyOf(place)),
    listensOn: (place) => listening.has(keyOf(place)),
    sync: async (openings) => {
      portNames = new Map(
        openings.flatMap(({ place, mapped, portName }) =>
          [place, ...mapped].map((each) => [keyOf(each), portName] as const),
        ),
      );
      for (const [key, forwarder] of open) if (!portNames.has(key)) void close(key, forwarder);
      refused.clear();
      for (const { place, mapped } of openings) {
        const isOpen = await openPlace(place);
        // Without the right to the node's port 80, say, the host's 8080 is still a way in; what has the one has the other too.
        if (isOpen || refused.get(place) !== "EADDRINUSE") for (const other of mapped) await openPlace(other);
      }
    },
    close: async () => {
      await Promise.all([...open].map(([key, forwarder]) => close(key, forwarder)));
    },
    destroy: () => {
      for (const forwarder of [...open.values(), ...ending]) forwarder.destroy();
    },
  };
}

/** `127.0.0.1 80`: a place as key of a map, the same for all spellings of an address. */
export const keyOf = ({ host, port }: ListenAddress): string => `${dialled(host)} ${port}`;

/** What the system connects to. Slices may spell ::1 in many ways; the unspecified address leads to localhost. */
function dialled(host: string): string {
  if (!host.includes(":")) return host === "0.0.0.0" ? "127.0.0.1" : host;
  const { address } = new SocketAddress({ address: host, family: "ipv6" });
  // IPv4-mapped (RFC 4291, 2.5.5.2).
  if (address.startsWith("::ffff:") && address.includes(".")) return dialled(address.slice("::ffff:".length));
  return address === "::" ? "::1" : address;
}
