// Why a port of the node could not be opened, with the way out, in one sentence.

import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import { serviceLimits } from "./limits.ts";

/** In place of a system's code: this node opens no more ports for Services. */
export const tooManyPlaces = "TOO_MANY_PLACES";

/** `holder` is the Service that has the port. Undefined when there is nothing to say: no IPv6 on this host. */
export function refusalOf(place: ListenAddress, code: string, holder: string | undefined): string | undefined {
  if (place.host === "::1" && (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT")) return undefined;
  return `${placeText(place)} cannot be opened: ${reason(place, code, holder)}`;
}

/** `127.0.0.1:80`, `[::1]:80`. */
export const placeText = ({ host, port }: ListenAddress): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

function reason({ port }: ListenAddress, code: string, holder: string | undefined): string {
  if (holder !== undefined) return `Service ${holder} has it; choose another port, or delete that one`;
  if (code === tooManyPlaces) {
    return `Services have ${serviceLimits.places} ports open on this node, and it opens no more; delete Services, or make them ClusterIP`;
  }
  if (code === "EADDRINUSE") {
    return "a hostPort of a pod or another program has it; choose another port, or end what has it (tried again every few seconds)";
  }
  if (code === "EACCES") {
    const allow =
      process.platform === "linux" ? ` or allow it (sysctl net.ipv4.ip_unprivileged_port_start=${port})` : "";
    return `ports below 1024 need privileges here; choose a higher port${allow}`;
  }
  return code;
}
