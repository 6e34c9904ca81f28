// The sockets of one Service on the node: opened, kept over changes of the Service, closed.

import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import { type ChooseTargets, openTcpForwarder, type TcpForwarder } from "../network/tcp-forwarder.ts";
import type { Opening } from "./openings.ts";

export interface ServicePorts {
  /** Opens what is new and closes what is not wanted any more. Afterwards `refused` is up to date. */
  sync(openings: Opening[]): Promise<void>;
  isOpen(opening: Opening): boolean;
  /** The system's codes (`EADDRINUSE`) by place, of what could not be opened. */
  readonly refused: ReadonlyMap<ListenAddress, string>;
  /** Closes the ports. Connections go on, as under kube-proxy; resolves when the last has ended. */
  close(): Promise<void>;
  /** Closes the ports and cuts off all connections. */
  destroy(): void;
}

/** `choose` finds the targets of the Service's port of that name. */
export function createServicePorts(choose: (portName: string) => ChooseTargets): ServicePorts {
  const open = new Map<string, TcpForwarder>();
  /** Closed, with connections. */
  const ending = new Set<TcpForwarder>();
  const refused = new Map<ListenAddress, string>();
  /** Which port of the Service a place leads to: it may change while the socket stays. */
  let portNames = new Map<string, string>();

  const close = async (key: string, forwarder: TcpForwarder): Promise<void> => {
    open.delete(key);
    ending.add(forwarder);
    await forwarder.stopListening();
    ending.delete(forwarder);
  };
  const openPlace = async (place: ListenAddress): Promise<boolean> => {
    const key = keyOf(place);
    if (open.has(key)) return true;
    try {
      const targets: ChooseTargets = (client) => choose(portNames.get(key) ?? "")(client);
      open.set(key, await openTcpForwarder(place, targets));
      return true;
    } catch (error) {
      refused.set(place, (error as NodeJS.ErrnoException).code ?? (error as Error).message);
      return false;
    }
  };

  return {
    refused,
    isOpen: ({ place }) => open.has(keyOf(place)),
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

/** `127.0.0.1 80`: a place as key of a map. */
export const keyOf = ({ host, port }: ListenAddress): string => `${host} ${port}`;
