// The addresses of a cluster's /16 (docs: the port table): the node, its pods, and the range Gateways may take.

/** Hands out pod addresses; each is unique until released. */
export interface PodAddresses {
  /** Throws an Error when none is left. */
  allocate(): string;
  release(address: string): void;
}

export interface ClusterNetwork {
  /** N of 127.N.0.0/16, undefined where the host has only 127.0.0.1. */
  subnet: number | undefined;
  nodeIP: string;
  /** For Gateways; empty without a subnet. */
  gatewayCIDR: string;
  podCIDR: string;
  pods: PodAddresses;
}

const firstThird = 1;
const lastThird = 127;
const lastFourth = 254;

export function clusterNetwork(subnet: number | undefined): ClusterNetwork {
  if (subnet === undefined) {
    const shared = { allocate: () => "127.0.0.1", release: () => {} };
    return { subnet, nodeIP: "127.0.0.1", gatewayCIDR: "", podCIDR: "127.0.0.1/32", pods: shared };
  }
  return {
    subnet,
    nodeIP: `127.${subnet}.0.1`,
    gatewayCIDR: `127.${subnet}.224.0/19`,
    podCIDR: `127.${subnet}.0.0/17`,
    pods: podAddresses(subnet),
  };
}

/** Goes round: a released address comes again as late as possible, so that nobody still dials its former pod there. */
function podAddresses(subnet: number): PodAddresses {
  const taken = new Set<string>();
  const total = (lastThird - firstThird + 1) * lastFourth;
  let next = 0;
  return {
    allocate: () => {
      for (let tried = 0; tried < total; tried++) {
        const at = next;
        next = (next + 1) % total;
        const address = `127.${subnet}.${firstThird + Math.floor(at / lastFourth)}.${1 + (at % lastFourth)}`;
        if (!taken.has(address)) {
          taken.add(address);
          return address;
        }
      }
      throw new Error(`no pod address is left in 127.${subnet}.0.0/17`);
    },
    release: (address) => void taken.delete(address),
  };
}
