// Choosing the host's ports for the node's 80 and 443: the wanted one, or the next free of 8080... and 8443...,
// and saying who holds what is taken.

import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { PortMapping } from "./cluster-state.ts";
import { UserError } from "./user-error.ts";

export interface PortWish {
  /** Node port: 80 or 443. */
  containerPort: number;
  /** What is tried first when the user named nothing. */
  preferred: number;
  /** Where the search for a free one starts. */
  fallback: number;
  /** The user's own choice, taken or refused as it is; 0 = any free port. */
  chosen?: number;
  /** Its option, for messages. */
  option: string;
}

export interface PortChoice {
  mappings: PortMapping[];
  /** One sentence per port that could not be had, for the user. */
  notes: string[];
}

/** lsof may wait for a dead network mount; a port without a name is better than no answer. */
const holderTimeoutMs = 3_000;

type Refusal = { code: string };

/**
 * Finds a host port for every wish. Throws a UserError when a port the user asked for is not to be had. `privileged`: who
 * will open them (Docker's daemon) may open ports that this user may not.
 */
export async function chooseHostPorts(wishes: PortWish[], privileged = false): Promise<PortChoice> {
  const choice: PortChoice = { mappings: [], notes: [] };
  for (const wish of wishes) {
    const taken = choice.mappings.map((mapping) => mapping.hostPort);
    const { hostPort, note } = await chooseOne(wish, taken, privileged);
    choice.mappings.push({ containerPort: wish.containerPort, hostPort });
    if (note) choice.notes.push(note);
  }
  return choice;
}

/** True when 127.0.0.1:port can be listened on now. */
export async function isFree(port: number): Promise<boolean> {
  return (await tryListen("127.0.0.1", port)) === undefined;
}

/** Resolves when all these ports are free, or after `timeoutMs`. */
export async function untilFree(ports: number[], timeoutMs: number): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs;
  for (const port of ports)
    while ((await whyRefused(port))?.code === "EADDRINUSE" && Date.now() < giveUpAt) await delay(10);
}

async function chooseOne(
  wish: PortWish,
  taken: number[],
  privileged: boolean,
): Promise<{ hostPort: number; note?: string }> {
  const refusalOf = async (port: number): Promise<Refusal | undefined> => {
    const refusal = await whyRefused(port);
    return privileged && refusal?.code === "EACCES" ? undefined : refusal;
  };
  if (wish.chosen === 0) return { hostPort: await anyFreePort() };
  const first = wish.chosen ?? wish.preferred;
  if (wish.chosen !== undefined && taken.includes(first))
    throw new UserError(`${wish.option} ${first}: that port is chosen twice, every listener needs its own`, 2);
  const refusal = taken.includes(first) ? { code: "EADDRINUSE" } : await refusalOf(first);
  if (!refusal) return { hostPort: first };
  const why = await explain(first, refusal);
  if (wish.chosen !== undefined) {
    throw new UserError(`${why}: free it, or choose another with ${wish.option} PORT (0 = any free one)`);
  }
  for (let port = wish.fallback; port < wish.fallback + 100; port++) {
    if (!taken.includes(port) && !(await refusalOf(port)))
      return { hostPort: port, note: `${why}; using ${port} instead` };
  }
  throw new UserError(
    `${why}, and ports ${wish.fallback} to ${wish.fallback + 99} are taken too: choose one with ${wish.option} PORT`,
  );
}

async function explain(port: number, refusal: Refusal): Promise<string> {
  if (refusal.code === "EACCES") return `port ${port} needs administrator rights on this machine`;
  if (refusal.code !== "EADDRINUSE") return `port ${port} cannot be opened (${refusal.code})`;
  const holder = await portHolder(port);
  return `port ${port} is held by ${holder ?? "another process"}`;
}

/** Why 127.0.0.1:port (or [::1]:port, where there is IPv6) cannot be listened on; undefined when it can. */
export async function whyRefused(port: number): Promise<Refusal | undefined> {
  const v4 = await tryListen("127.0.0.1", port);
  if (v4) return v4;
  const v6 = await tryListen("::1", port);
  return v6 && v6.code !== "EADDRNOTAVAIL" && v6.code !== "EAFNOSUPPORT" ? v6 : undefined;
}

function tryListen(host: string, port: number): Promise<Refusal | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? error.message }));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function anyFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** `name (pid 123)` of the process that holds `port` on localhost, as far as this user may see it. */
export async function portHolder(port: number): Promise<string | undefined> {
  if (process.platform === "linux") return linuxPortHolder(port);
  try {
    const { stdout } = await promisify(execFile)("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"], {
      timeout: holderTimeoutMs,
    });
    const pid = /^p(\d+)$/m.exec(stdout)?.[1];
    const command = /^c(.+)$/m.exec(stdout)?.[1];
    return pid && command ? `${command} (pid ${pid})` : undefined;
  } catch {
    return undefined;
  }
}

function linuxPortHolder(port: number): string | undefined {
  const inodes = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  for (const pid of readable(() => readdirSync("/proc")) ?? []) {
    if (!/^\d+$/.test(pid)) continue;
    for (const descriptor of readable(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const target = readable(() => readlinkSync(`/proc/${pid}/fd/${descriptor}`));
      const inode = target?.match(/^socket:\[(\d+)\]$/)?.[1];
      if (inode && inodes.has(inode)) {
        return `${readable(() => readFileSync(`/proc/${pid}/comm`, "utf8").trim()) ?? "a process"} (pid ${pid})`;
      }
    }
  }
  return undefined;
}

/** 0.0.0.0 and 127.0.0.1, ::, ::1 and both IPv4 ones as IPv6: who listens there keeps us from localhost. */
const addressesInTheWay = new Set([
  "00000000",
  "0100007F",
  "00000000000000000000000000000000",
  "00000000000000000000000001000000",
  "0000000000000000FFFF000000000000",
  "0000000000000000FFFF00000100007F",
]);

/** Socket inodes in state LISTEN (0A) on this port of localhost, from a /proc/net/tcp table. */
function listeningInodes(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const inTheWay = (local = ""): boolean => {
    const [address = "", at] = local.split(":");
    return at === hex && addressesInTheWay.has(address);
  };
  const rows = (readable(() => readFileSync(table, "utf8")) ?? "").split("\n").slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => inTheWay(columns[1]) && columns[3] === "0A")
    .map((columns) => columns[9] ?? "");
}

/** Processes come and go, and others' are not ours to read: what cannot be read is left out. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
