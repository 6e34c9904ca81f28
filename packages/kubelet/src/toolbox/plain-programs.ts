// Programs of the toolbox that need no files.

import { setTimeout as delay } from "node:timers/promises";
import { parseOptions, type Program, UsageError } from "./program.ts";

export const echo: Program = async (args, { out }) => {
  const bare = args[0] === "-n";
  await out(`${(bare ? args.slice(1) : args).join(" ")}${bare ? "" : "\n"}`);
  return 0;
};

export const env: Program = async (args, { environment, out }) => {
  if (args.length > 0) throw new UsageError("it prints the environment; to run something in another one is not done");
  for (const [name, value] of Object.entries(environment)) await out(`${name}=${value}\n`);
  return 0;
};

export const printenv: Program = async (args, box) => {
  if (args.length === 0) return env([], box);
  const known = args.filter((name) => Object.hasOwn(box.environment, name));
  for (const name of known) await box.out(`${box.environment[name]}\n`);
  return known.length === args.length ? 0 : 1;
};

export const pwd: Program = async (_args, { files, out }) => {
  await out(`${files.directory}\n`);
  return 0;
};

export const hostname: Program = async (args, { environment, hostEnvironment, out }) => {
  const { flags } = parseOptions(args, "if");
  await out(`${flags.has("i") ? (hostEnvironment.GATEHOUSE_POD_IP ?? "") : (environment.HOSTNAME ?? "")}\n`);
  return 0;
};

export const date: Program = async (args, { out }) => {
  const format = args.find((arg) => arg.startsWith("+"));
  const now = new Date();
  if (format === undefined) {
    const [week, day, month, year, time] = now.toUTCString().replace(",", "").split(" ");
    await out(`${week} ${month} ${day?.replace(/^0/, " ")} ${time} UTC ${year}\n`);
  } else await out(`${formatted(format.slice(1), now)}\n`);
  return 0;
};

function formatted(format: string, now: Date): string {
  const iso = now.toISOString();
  const fields: Record<string, string> = {
    "%s": String(Math.floor(now.getTime() / 1000)),
    "%F": iso.slice(0, 10),
    "%T": iso.slice(11, 19),
    "%Y": iso.slice(0, 4),
    "%m": iso.slice(5, 7),
    "%d": iso.slice(8, 10),
    "%H": iso.slice(11, 13),
    "%M": iso.slice(14, 16),
    "%S": iso.slice(17, 19),
    "%Z": "UTC",
    "%%": "%",
  };
  return format.replace(/%./g, (field) => {
    const value = fields[field];
    if (value === undefined) throw new UsageError(`${field} is not known; there are: ${Object.keys(fields).join(" ")}`);
    return value;
  });
}

/** The user of the processes on this host: a pod here has no users of its own. */
export const id: Program = async (args, { out }) => {
  const { flags } = parseOptions(args, "ug");
  const [user, group] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  await out(`${flags.has("u") ? user : flags.has("g") ? group : `uid=${user} gid=${group}`}\n`);
  return 0;
};

/** Process numbers are the host's. */
export const ps: Program = async (_args, { container, out }) => {
  const rows = [
    [container.pid, container.title],
    [process.pid, "ps"],
  ] as const;
  await out("    PID COMMAND\n");
  for (const [pid, command] of rows) await out(`${String(pid).padStart(7)} ${command}\n`);
  return 0;
};

export const sleep: Program = async (args) => {
  const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
  let seconds = 0;
  for (const text of args) {
    const [, number, unit = "s"] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? [];
    if (number === undefined) throw new UsageError(`invalid time interval '${text}'`);
    seconds += Number(number) * (units[unit || "s"] ?? 1);
  }
  if (args.length === 0) throw new UsageError("missing operand");
  // Timers of Node end at 24.8 days; nobody is connected for longer.
  await delay(Math.min(seconds * 1000, 2 ** 31 - 1));
  return 0;
};
