// Cluster IPs and node ports of Services: derived from the stored Services, so nothing can leak or be given out twice.

import { invalid } from "@gatehouse/apimachinery/status-error";
import type { Service } from "@gatehouse/apimachinery/types/core-v1";
import type { WriteContext } from "./resource-definition.ts";
import type { Store } from "./storage/store.ts";

/** 10.96.0.0/16, as kubeadm. The first 256 addresses are left for fixed assignments such as default/kubernetes. */
const prefix = "10.96.";
const firstDynamic = 256;
const lastHost = 65_534;
const firstNodePort = 30_000;
const lastNodePort = 32_767;

/** Allocations for the Service `name` as of now, distinct among themselves. A wanted value that is taken or out of range throws 422. */
export function allocationsOf(store: Store, name: string): WriteContext {
  const given = new Set<string | number>();
  return {
    allocateClusterIP: (wanted) => {
      const used = new Set([...services(store)].map((service) => service.spec.clusterIP));
      return clusterIP(name, wanted, (address) => used.has(address));
    },
    allocateNodePort: (index, wanted) => {
      const stored = [...services(store)].flatMap((service) => service.spec.ports ?? []).map((port) => port.nodePort);
      const used = new Set<unknown>([...stored, ...given]);
      const port = nodePort(name, index, wanted, (candidate) => used.has(candidate));
      given.add(port);
      return port;
    },
  };
}

function* services(store: Store): Generator<Service> {
  for (const [, service] of store.scan("/services")) yield service as Service;
}

function clusterIP(name: string, wanted: string | undefined, taken: (address: string) => boolean): string {
  const field = "spec.clusterIPs";
  if (wanted !== undefined) {
    const failed = `failed to allocate IP ${wanted}: `;
    if (!inRange(wanted)) {
      const range = "is not in the valid range. The range of valid IPs is 10.96.0.0/16";
      throw refused(name, field, [wanted], `${failed}the provided IP (${wanted}) ${range}`);
    }
    if (taken(wanted)) throw refused(name, field, [wanted], `${failed}provided IP is already allocated`);
    return wanted;
  }
  for (let host = firstDynamic; host <= lastHost; host++) {
    const address = `${prefix}${host >> 8}.${host & 255}`;
    if (!taken(address)) return address;
  }
  throw refused(name, field, [], "failed to allocate an IP: range is full");
}

function inRange(address: string): boolean {
  const parts = /^10\.96\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  if (!parts) return false;
  const host = Number(parts[1]) * 256 + Number(parts[2]);
  return Number(parts[1]) <= 255 && Number(parts[2]) <= 255 && host >= 1 && host <= lastHost;
}

function nodePort(name: string, index: number, wanted: number | undefined, taken: (port: number) => boolean): number {
  const field = `spec.ports[${index}].nodePort`;
  if (wanted !== undefined) {
    if (wanted < firstNodePort || wanted > lastNodePort) {
      const range = `The range of valid ports is ${firstNodePort}-${lastNodePort}`;
      throw refused(name, field, wanted, `provided port is not in the valid range. ${range}`);
    }
    if (taken(wanted)) throw refused(name, field, wanted, "provided port is already allocated");
    return wanted;
  }
  for (let port = firstNodePort; port <= lastNodePort; port++) if (!taken(port)) return port;
  throw refused(name, field, 0, "failed to allocate a nodePort: range is full");
}

function refused(name: string, field: string, value: unknown, why: string): Error {
  return invalid({ group: "", kind: "Service", name }, [
    { reason: "FieldValueInvalid", message: `Invalid value: ${JSON.stringify(value)}: ${why}`, field },
  ]);
}
