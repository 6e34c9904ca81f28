// Connections that have asked once and then stay, until this process ends.

import { Requester } from "./requester.ts";

export interface IdleSettings {
  addresses: string[];
  port: number;
  connections: number;
}

/** Resolves when all are open and answered; rejects when one is refused or not answered 200. */
export async function idle({ addresses, port, connections }: IdleSettings): Promise<Requester[]> {
  const all: Requester[] = [];
  let next = 0;
  const openSome = async (): Promise<void> => {
    while (next < connections) {
      const requester = await Requester.open(addresses[next++ % addresses.length] ?? "", port, "/");
      all.push(requester);
      await answered(requester);
    }
  };
  await Promise.all(Array.from({ length: 32 }, openSome));
  return all;
}

function answered(requester: Requester): Promise<void> {
  return new Promise((resolve, reject) => {
    requester.onAnswer = (ok) => (ok ? resolve() : reject(new Error("an idle connection got no answer")));
    requester.send();
  });
}
