// Why a port of the node could not be opened, with the way out, in one sentence.

import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";

/** `holder` is the Service that has the port. Undefined when there is nothing to say: no IPv6 on this host. */
export function refusalOf(place: ListenAddress, code: string, holder: string | undefined): string | undefined {
  if (place.host === "::1" && (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT")) return undefined;
  const at = place.host.includes(":") ? `[${place.host}]` : place.host;
  return `${at}:${place.port} cannot be opened: ${reason(place, code, holder)}`;
}

function reason({ port }: ListenAddress, code: string, holder: string | undefined): string {
  if (holder !== undefined) return `Service ${holder} has it; choose another port, or delete that one`;
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
