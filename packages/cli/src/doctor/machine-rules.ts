// What is said of the machine itself: addresses, names, inotify, disk, memory, proxies.

import { systemHostsFile } from "../hosts-file.ts";
import { engineInfo, engineTitle } from "./engine-rules.ts";
import type { Facts, ProxyFact } from "./facts.ts";
import { bytes, type Finding, judge, type Rule } from "./finding.ts";

const mebibyte = 1024 ** 2;

export const machineRules: Rule = (facts) => [
  loopbackFinding(facts),
  namesFinding(facts),
  ...inotifyFindings(facts),
  diskFinding(facts),
  memoryFinding(facts),
  ...proxyFindings(facts),
];

/** Where there is only 127.0.0.1 (macOS), pods share it, each on ports of its own; see docs/decisions/0003. */
function loopbackFinding({ loopbackRefusal }: Facts): Finding {
  const say = judge("loopback-addresses", "addresses of 127.0.0.0/8", ["embedded"]);
  if (loopbackRefusal === undefined) return say.ok("pods get addresses of their own");
  if (loopbackRefusal === "EADDRNOTAVAIL") return say.ok("only 127.0.0.1: pods share it, on ports of their own");
  return say.problem(
    `cannot be listened on (${loopbackRefusal})`,
    "Let this program listen on the loopback interface: a sandbox or security policy forbids it.",
  );
}

/** RFC 6761 6.3: names below localhost are the loopback address. Not every resolver knows; curl and browsers do. */
function namesFinding({ names }: Facts): Finding {
  const say = judge("localhost-names", "*.localhost names", ["embedded", "kind"]);
  if (!names)
    return say.warning("the resolver did not answer in time; curl and browsers know them themselves", hostsLine([]));
  const all = Object.keys(names);
  const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";
  const addresses = (name: string): string[] => (typeof names[name] === "string" ? [] : (names[name] ?? []));
  const astray = all.filter((name) => addresses(name).some((address) => !isLoopback(address)));
  if (astray.length > 0) {
    const where = astray.map((name) => `${name} is ${addresses(name).join(", ")}`).join("; ");
    return say.warning(`${where}: the resolver sends them elsewhere; curl and browsers do not ask it`, hostsLine(all));
  }
  const unknown = all.filter((name) => addresses(name).length === 0);
  if (unknown.length > 0) {
    return say.warning(`the resolver does not know ${unknown.join(", ")}; curl and browsers do`, hostsLine(unknown));
  }
  if (all.some((name) => !addresses(name).includes("127.0.0.1"))) {
    return say.warning("they lead to [::1] only, where a kind cluster does not listen", hostsLine(all));
  }
  return say.ok("lead to this machine");
}

function hostsLine(names: string[]): string {
  if (names.length === 0) return "gatehouse up --hosts yes   writes them to the hosts file";
  return `echo '127.0.0.1 ${names.join(" ")}' | sudo tee -a ${systemHostsFile}`;
}

const inotifyFile = "/etc/sysctl.d/99-inotify.conf";
const inotifyLimits = [
  { key: "watches", sysctl: "fs.inotify.max_user_watches", wanted: 524_288 },
  { key: "instances", sysctl: "fs.inotify.max_user_instances", wanted: 512 },
] as const;

/** The numbers of kind's "Pod errors due to too many open files". A virtual machine's limits are its own affair. */
function inotifyFindings({ platform, engine, inotify }: Facts): Finding[] {
  return inotifyLimits.map(({ key, sysctl, wanted }) => {
    const say = judge(`inotify-${key}`, `inotify ${key}`, ["kind"]);
    if (platform !== "linux") return say.skipped("only Linux has this limit");
    if (engineInfo(engine)?.operatingSystem === "Docker Desktop")
      return say.skipped("those of Docker Desktop's own machine count");
    if (!inotify) return say.skipped("the limit cannot be read");
    if (inotify[key] >= wanted) return say.ok(String(inotify[key]));
    return say.warning(
      `${inotify[key]} may be too few: pods then fail with "too many open files"`,
      `sudo sysctl ${sysctl}=${wanted}\nto keep it: echo '${sysctl} = ${wanted}' | sudo tee -a ${inotifyFile}`,
    );
  });
}

function diskFinding({ disk }: Facts): Finding {
  const say = judge("disk", "disk", ["embedded"]);
  if (!disk) return say.skipped("the free space cannot be read");
  const message = `${bytes(disk.freeBytes)} free at ${disk.path}`;
  const remedy = "Free some space, or keep clusters elsewhere: export GATEHOUSE_HOME=/path/with/space";
  if (disk.freeBytes < 100 * mebibyte) return say.problem(`${message}; a cluster needs 100 MiB`, remedy);
  if (disk.freeBytes < 500 * mebibyte) return say.warning(`${message}; its logs may fill that`, remedy);
  return say.ok(message);
}

/** The demo takes 150 MiB (docs/performance.md). */
function memoryFinding({ memory: { totalBytes, availableBytes } }: Facts): Finding {
  const say = judge("memory", "memory", ["embedded"]);
  if (availableBytes === undefined) return say.ok(`${bytes(totalBytes)} in all`);
  const message = `${bytes(availableBytes)} of ${bytes(totalBytes)} available`;
  const remedy = "End programs that take much.";
  if (availableBytes < 160 * mebibyte) return say.problem(`${message}; the demo takes about 150 MiB`, remedy);
  if (availableBytes < 400 * mebibyte) return say.warning(`${message}; the demo takes about 150 MiB`, remedy);
  return say.ok(message);
}

/** Entries without which requests to a cluster on this machine may go to the proxy. */
const wantedExceptions = ["localhost", ".localhost", "127.0.0.1", "::1"];
/** What stands for several of them. */
const coveredBy: Record<string, string[]> = {
  ".localhost": ["*.localhost", "localhost"],
  localhost: ["*.localhost", ".localhost"],
  "127.0.0.1": ["127.0.0.0/8"],
  "::1": ["[::1]", "127.0.0.1", "127.0.0.0/8"],
};

function proxyFindings({ proxy, engine }: Facts): Finding[] {
  const servers = [...new Set(Object.values(proxy.servers))];
  const say = judge("proxy", "proxy", ["embedded", "kind", "context"]);
  if (servers.length === 0) return [say.ok("none")];
  const missing = proxy.exceptions.includes("*")
    ? []
    : wantedExceptions.filter(
        (wanted) => ![wanted, ...(coveredBy[wanted] ?? [])].some((entry) => proxy.exceptions.includes(entry)),
      );
  const local =
    missing.length === 0
      ? say.ok(`${servers.join(", ")}; this machine's own names are excepted`)
      : say.warning(
          `${servers.join(", ")} would get requests to this machine, too: NO_PROXY lacks ${missing.join(", ")}`,
          `export NO_PROXY="${[...proxy.exceptions, ...wantedExceptions.filter((entry) => !proxy.exceptions.includes(entry))].join(",")}"; export no_proxy="$NO_PROXY"`,
        );
  return [local, ...nodeProxyFinding(proxy), ...engineProxyFinding(engine)];
}

/** kind hands the variables to its nodes, with its own subnets and names added to NO_PROXY (never loopback mended). */
function nodeProxyFinding({ servers }: ProxyFact): Finding[] {
  const loopback = Object.entries(servers).filter(([, server]) => /^(localhost|127\.|\[::1\])/.test(server));
  if (loopback.length === 0) return [];
  const variables = loopback.map(([variable]) => variable);
  return [
    judge("node-proxy", "proxy inside the node", ["kind"]).warning(
      `${variables.join(", ")} name this machine's loopback address, which inside a kind node is the node itself: images cannot be pulled there`,
      `unset ${variables.join(" ")}   for kind, or let the proxy listen on an address that containers reach`,
    ),
  ];
}

/** The node's image is pulled by the engine, which does not see the user's variables. */
function engineProxyFinding(engine: Facts["engine"]): Finding[] {
  const info = engineInfo(engine);
  if (!info || info.hasProxy) return [];
  return [
    judge("engine-proxy", `proxy of ${engineTitle(engine)}`, ["kind"]).warning(
      "the engine has none of its own, and may not reach the registry for the node's image",
      "https://docs.docker.com/engine/daemon/proxy/",
    ),
  ];
}
