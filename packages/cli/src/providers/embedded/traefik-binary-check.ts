// Is there a real Traefik that can play the gateway? Asked before anything is started.

import { probeBind } from "@gatehouse/kubelet/network/bind-probe";
import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { promisify } from "node:util";
import { hostConfigurationFile } from "../../images/traefik-configuration-file.ts";
import { UserError } from "../../user-error.ts";
import type { TraefikBinary } from "./embedded-state.ts";

const versionTimeoutMs = 10_000;
const howToGetOne = "get Traefik 3 from https://github.com/traefik/traefik/releases";

/** The binary at `path`, else the first `traefik` of PATH, by its absolute path, with its version (`3.6.15`, or `dev` for one built
 * from source without). Throws a UserError when there is none, it is no Traefik 3, or the
 * host has a Traefik configuration that would win over the pod's flags. */
export async function findTraefik(path?: string): Promise<TraefikBinary> {
  const binary = path === undefined ? fromPath() : named(path);
  const version = await versionOf(binary);
  await requireOwnAddresses();
  const configuration = hostConfigurationFile();
  if (configuration) {
    throw new UserError(
      `${configuration} exists, and the real Traefik would read it instead of the pod's flags: move it away, or use --gateway builtin`,
    );
  }
  return { path: binary, version };
}

/** Where all pods share 127.0.0.1 their ports get other numbers, and Traefik knows a Gateway's listener by its number. */
async function requireOwnAddresses(): Promise<void> {
  if ((await probeBind("127.16.0.1", 0)) !== "EADDRNOTAVAIL") return;
  throw new UserError(
    "--gateway traefik needs loopback addresses besides 127.0.0.1, and this system has none: use --gateway builtin",
  );
}

function fromPath(): string {
  const places = (process.env.PATH ?? "").split(delimiter).filter(isAbsolute);
  const found = places.map((directory) => join(directory, "traefik")).find(isProgram);
  if (found) return found;
  throw new UserError(
    `--gateway traefik: no traefik in PATH: ${howToGetOne}, or name one with --traefik-binary PATH, or use --gateway builtin`,
  );
}

function named(path: string): string {
  const absolute = resolve(path);
  const stats = statSync(absolute, { throwIfNoEntry: false });
  if (!stats) throw new UserError(`--traefik-binary ${path}: no such file: ${howToGetOne}`);
  if (!stats.isFile()) throw new UserError(`--traefik-binary ${path}: not a file: name the traefik program itself`);
  if (!isProgram(absolute)) throw new UserError(`--traefik-binary ${path}: not executable: chmod +x ${path}`);
  return absolute;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function versionOf(binary: string): Promise<string> {
  const output = await promisify(execFile)(binary, ["version"], { timeout: versionTimeoutMs }).then(
    ({ stdout }) => stdout,
    (error: Error & { code?: unknown }) => {
      throw new UserError(
        `${binary} version failed (${String(error.code ?? error.message)}): is it Traefik for this machine? ${howToGetOne}`,
      );
    },
  );
  const version = /^Version:\s*v?(\S+)/m.exec(output)?.[1];
  if (version === undefined)
    throw new UserError(`${binary} is no Traefik: its answer to "version" names none; ${howToGetOne}`);
  // Built from source without a version it calls itself `dev`.
  if (version.startsWith("3.") || version === "dev") return version;
  throw new UserError(`${binary} is Traefik ${version}, and the Gateway API v1.4 needs Traefik 3: ${howToGetOne}`);
}
