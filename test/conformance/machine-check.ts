// Whether the suite can run on this machine at all: its Gateways listen on ports 80 and 443 of addresses of their own.

import type { BindProbe } from "../../packages/kubelet/src/network/bind-probe.ts";

/** An address such as Gateways get, that no cluster hands out. */
const address = "127.15.0.1";

/** One sentence with what to do, or undefined when Gateways will find their ports. */
export async function whyNotHere(probe: BindProbe): Promise<string | undefined> {
  for (const port of [80, 443]) {
    const code = await probe(address, port);
    if (code === undefined) continue;
    const reasons: Record<string, string> = {
      EACCES: "ports below 1024 need privileges: run it as root, or sysctl net.ipv4.ip_unprivileged_port_start=80",
      EADDRINUSE: "a program listens on that port of every address: stop it",
      EADDRNOTAVAIL: "this system has one loopback address only, and each Gateway needs its own: run it on Linux",
    };
    return `the suite's Gateways cannot listen on ${address}:${port}: ${reasons[code] ?? code}`;
  }
  return undefined;
}
