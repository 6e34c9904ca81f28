// How much of the process the Services' ports may take: the API server runs in it too, and file descriptors are per process.

import type { Admission } from "../network/tcp-forwarder.ts";

/** Each connection costs two file descriptors, and each place one: together they leave room in 4096, the lowest hard limit
 * that systems come with. */
export const serviceLimits = {
  /** Connections at once to one Service. */
  connectionsPerService: 512,
  /** Connections at once to all Services of the node. */
  connections: 1_024,
  /** Places (address and port) that listen for Services. */
  places: 1_024,
} as const;

/** Counts up to `most`, and what is taken here in `within` as well. */
export function createAdmission(most: number, within?: Admission): Admission {
  let taken = 0;
  return {
    enter: () => {
      if (taken >= most || within?.enter() === false) return false;
      taken++;
      return true;
    },
    leave: () => {
      taken--;
      within?.leave();
    },
  };
}
