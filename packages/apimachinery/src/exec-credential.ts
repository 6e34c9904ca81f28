// Credentials from a program that the kubeconfig names, as managed clusters use them (client.authentication.k8s.io, KEP-541).

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

/** `user.exec` of a kubeconfig. */
export interface ExecConfig {
  apiVersion?: string;
  command: string;
  args?: string[] | null;
  env?: { name: string; value: string }[] | null;
  /** What to do when the command is not there. */
  installHint?: string;
  interactiveMode?: "Never" | "IfAvailable" | "Always";
  provideClusterInfo?: boolean;
}

/** The cluster as the program may want to know it. */
export interface ExecCluster {
  server: string;
  "certificate-authority-data"?: string;
  "insecure-skip-tls-verify"?: boolean;
  "tls-server-name"?: string;
}

export interface ExecCredentials {
  token?: () => string;
  clientCertificate?: Buffer;
  clientKey?: Buffer;
}

interface ExecStatus {
  token?: string;
  clientCertificateData?: string;
  clientKeyData?: string;
  /** RFC 3339; absent = good for as long as this process lives. */
  expirationTimestamp?: string;
}

const versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
/** A token is renewed a little before it ends, as it takes a moment to travel. */
const renewBeforeMs = 10_000;
/** A program that asks nobody anything answers by then, or never. */
const silentLimitMs = 60_000;

/**
 * Runs the program (a path in `command` is relative to `directory`, the kubeconfig's) and again when its token has expired.
 * What it says on standard error is shown to the user. Throws an Error with the remedy.
 */
export function execCredentials(
  user: string,
  config: ExecConfig,
  cluster: ExecCluster,
  directory: string,
): ExecCredentials {
  const key = JSON.stringify([user, config, cluster, directory]);
  const known = credentialsOf.get(key);
  if (known) return known;
  const credentials = newCredentials(user, config, cluster, directory);
  credentialsOf.set(key, credentials);
  return credentials;
}

/** Once per process: a program may ask its user for something. */
const credentialsOf = new Map<string, ExecCredentials>();

function newCredentials(user: string, config: ExecConfig, cluster: ExecCluster, directory: string): ExecCredentials {
  let status = runPlugin(user, config, cluster, directory);
  const { clientCertificateData, clientKeyData } = status;
  const token = (): string => {
    if (hasExpired(status)) status = runPlugin(user, config, cluster, directory);
    return status.token ?? "";
  };
  return {
    ...(status.token === undefined ? {} : { token }),
    ...(clientCertificateData ? { clientCertificate: Buffer.from(clientCertificateData) } : {}),
    ...(clientKeyData ? { clientKey: Buffer.from(clientKeyData) } : {}),
  };
}

function hasExpired({ expirationTimestamp }: ExecStatus): boolean {
  return expirationTimestamp !== undefined && Date.parse(expirationTimestamp) - renewBeforeMs < Date.now();
}

function runPlugin(user: string, config: ExecConfig, cluster: ExecCluster, directory: string): ExecStatus {
  const apiVersion = config.apiVersion ?? "";
  if (!versions.includes(apiVersion)) {
    throw new Error(`user "${user}": exec of version "${apiVersion}" is not supported, only ${versions.join(" and ")}`);
  }
  const interactive = config.interactiveMode !== "Never" && process.stdin.isTTY;
  if (config.interactiveMode === "Always" && !interactive) {
    throw new Error(`user "${user}": ${config.command} wants to ask something: run this at a terminal`);
  }
  const command = /[\\/]/.test(config.command) ? resolve(directory, config.command) : config.command;
  const result = spawnSync(command, config.args ?? [], {
    encoding: "utf8",
    env: { ...process.env, ...variables(config), KUBERNETES_EXEC_INFO: execInfo(config, cluster, interactive) },
    stdio: [interactive ? "inherit" : "ignore", "pipe", "inherit"],
    ...(interactive ? {} : { timeout: silentLimitMs, killSignal: "SIGKILL" }),
  });
  if (result.error) throw notStarted(user, config, result.error);
  if (result.status !== 0) {
    const end = result.signal ? `was ended by ${result.signal}` : `failed with exit code ${result.status}`;
    throw new Error(`user "${user}": ${config.command} ${end}: log in with it first`);
  }
  return statusOf(user, config, result.stdout);
}

const variables = ({ env }: ExecConfig): Record<string, string> =>
  Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));

function execInfo({ apiVersion, provideClusterInfo }: ExecConfig, cluster: ExecCluster, interactive: boolean): string {
  const spec = { interactive, ...(provideClusterInfo ? { cluster } : {}) };
  return JSON.stringify({ apiVersion, kind: "ExecCredential", spec });
}

function notStarted(user: string, { command, installHint }: ExecConfig, error: Error): Error {
  if ((error as NodeJS.ErrnoException).code === "ETIMEDOUT") {
    return new Error(
      `user "${user}": ${command} gave no credential within ${silentLimitMs / 1000} s: log in with it first`,
    );
  }
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  const hint = installHint ? `: ${installHint.trim()}` : "";
  const why = missing ? `is not installed, or not in PATH${hint}` : `cannot be run: ${error.message}`;
  return new Error(`user "${user}" logs in with ${command}, which ${why}`, { cause: error });
}

/** Never quotes the output: it is a credential. */
function statusOf(user: string, { apiVersion, command }: ExecConfig, output: string): ExecStatus {
  let credential: { apiVersion?: string; kind?: string; status?: ExecStatus };
  try {
    credential = JSON.parse(output) as typeof credential;
  } catch {
    throw new Error(`user "${user}": ${command} printed no credential (not JSON)`);
  }
  const { status } = credential;
  if (credential.kind !== "ExecCredential" || credential.apiVersion !== apiVersion || !status) {
    throw new Error(`user "${user}": ${command} printed no ExecCredential of version ${apiVersion}`);
  }
  if (status.token === undefined && !(status.clientCertificateData && status.clientKeyData)) {
    throw new Error(`user "${user}": ${command} gave neither a token nor a certificate with its key`);
  }
  return status;
}
