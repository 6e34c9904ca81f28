// Reading kubeconfig files (kubectl's own format): which cluster and user a context names, as connection options.

import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type { ConnectionOptions } from "./api-connection.ts";
import type { ExecConfig } from "./exec-credential.ts";

export interface NamedCluster {
  name: string;
  cluster: {
    server: string;
    "certificate-authority-data"?: string;
    "certificate-authority"?: string;
    "insecure-skip-tls-verify"?: boolean;
    "tls-server-name"?: string;
    "proxy-url"?: string;
  };
}

export interface NamedUser {
  name: string;
  user: {
    "client-certificate-data"?: string;
    "client-certificate"?: string;
    "client-key-data"?: string;
    "client-key"?: string;
    token?: string;
    tokenFile?: string;
    exec?: ExecConfig;
    "auth-provider"?: unknown;
    [field: string]: unknown;
  };
}

export interface NamedContext {
  name: string;
  context: { cluster: string; user: string; namespace?: string };
}

export interface Kubeconfig {
  apiVersion: "v1";
  kind: "Config";
  clusters?: NamedCluster[];
  users?: NamedUser[];
  contexts?: NamedContext[];
  "current-context"?: string;
  [field: string]: unknown;
}

/** The files kubectl would read, in order: every entry of KUBECONFIG, else `~/.kube/config`. */
export function kubeconfigPaths(environment: NodeJS.ProcessEnv = process.env): string[] {
  const listed = (environment.KUBECONFIG ?? "").split(delimiter).filter((path) => path !== "");
  return listed.length > 0 ? listed : [join(environment.HOME ?? homedir(), ".kube", "config")];
}

/** Parses kubeconfig text: JSON at once, YAML with the library loaded on demand. Throws an Error naming `path`. */
export async function parseKubeconfig(text: string, path: string): Promise<Kubeconfig> {
  const trimmed = text.trim();
  if (trimmed === "") return { apiVersion: "v1", kind: "Config" };
  try {
    const parsed: unknown = parseJson(trimmed) ?? (await import("yaml")).parse(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as Kubeconfig;
  } catch (error) {
    // The parser goes on to show the place, in lines of its own.
    const [why = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new Error(`kubeconfig ${path} cannot be read: ${why.replace(/:$/, "")}`, { cause: error });
  }
  throw new Error(`kubeconfig ${path} is not a kubeconfig: its top level is not a mapping`);
}

/** Undefined for what is not JSON, such as YAML that begins like it. */
function parseJson(text: string): unknown {
  if (!text.startsWith("{")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The connection that `context` (default: the current one) of the files names. Throws an Error with the remedy. */
export async function loadConnection(
  context?: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ConnectionOptions & { context: string; namespace: string }> {
  const paths = kubeconfigPaths(environment);
  const files = await Promise.all(paths.map(readIfThere));
  const wanted = context ?? files.find((file) => file.config["current-context"])?.config["current-context"];
  if (!wanted)
    throw new Error(`no current context in ${paths.join(", ")}: start a cluster, or name one with --context`);
  const find = <T extends { name: string }>(list: (config: Kubeconfig) => T[] | undefined, name: string) => {
    for (const file of files) {
      const entry = list(file.config)?.find((candidate) => candidate.name === name);
      if (entry) return { entry, directory: dirname(file.path) };
    }
    return undefined;
  };
  const chosen = find((config) => config.contexts, wanted)?.entry;
  if (!chosen?.context) {
    const names = files.flatMap(({ config }) => config.contexts ?? []).map(({ name }) => name);
    const offered = names.length > 0 ? `: there are ${[...new Set(names)].join(", ")}` : "";
    throw new Error(`context "${wanted}" is not in ${paths.join(", ")}${offered}`);
  }
  const cluster = find((config) => config.clusters, chosen.context.cluster);
  if (!cluster) throw new Error(`context "${wanted}" names cluster "${chosen.context.cluster}", which is not there`);
  const user = find((config) => config.users, chosen.context.user);
  if (chosen.context.user && !user) {
    throw new Error(`context "${wanted}" names user "${chosen.context.user}", which is not there`);
  }
  return {
    ...clusterOptions(cluster.entry, cluster.directory),
    ...(user ? await userOptions(user.entry, user.directory, cluster.entry) : {}),
    context: wanted,
    namespace: chosen.context.namespace || "default",
  };
}

/** The names of all contexts of the files, each once, in order. */
export async function contextNames(environment: NodeJS.ProcessEnv = process.env): Promise<string[]> {
  const files = await Promise.all(kubeconfigPaths(environment).map(readIfThere));
  return [...new Set(files.flatMap((file) => file.config.contexts ?? []).map(({ name }) => name))];
}

async function readIfThere(path: string): Promise<{ path: string; config: Kubeconfig }> {
  try {
    return { path, config: await parseKubeconfig(readFileSync(path, "utf8"), path) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { path, config: { apiVersion: "v1", kind: "Config" } };
  }
}

function clusterOptions({ name, cluster }: NamedCluster, directory: string): ConnectionOptions {
  if (!cluster?.server) throw new Error(`cluster "${name}" has no server address`);
  if (cluster["proxy-url"]) {
    throw new Error(`cluster "${name}" is reached by proxy-url, which is not supported: use a tunnel or kubectl proxy`);
  }
  const certificateAuthority = material(
    cluster["certificate-authority-data"],
    cluster["certificate-authority"],
    directory,
  );
  return {
    server: cluster.server,
    ...(certificateAuthority ? { certificateAuthority } : {}),
    ...(cluster["insecure-skip-tls-verify"] ? { insecureSkipTlsVerify: true } : {}),
    ...(cluster["tls-server-name"] ? { tlsServerName: cluster["tls-server-name"] } : {}),
  };
}

async function userOptions(
  { name, user }: NamedUser,
  directory: string,
  { cluster }: NamedCluster,
): Promise<ConnectionOptions> {
  if (!user) return {};
  if (user["auth-provider"]) {
    throw new Error(`user "${name}" logs in with auth-provider, which Kubernetes 1.26 removed: use its exec plugin`);
  }
  if (user.exec) {
    const { execCredentials } = await import("./exec-credential.ts");
    return execCredentials(name, user.exec, cluster, directory);
  }
  const clientCertificate = material(user["client-certificate-data"], user["client-certificate"], directory);
  const clientKey = material(user["client-key-data"], user["client-key"], directory);
  const { token, tokenFile } = user;
  return {
    ...(clientCertificate ? { clientCertificate } : {}),
    ...(clientKey ? { clientKey } : {}),
    ...(tokenFile
      ? { token: () => readFileSync(resolve(directory, tokenFile), "utf8").trim() }
      : token
        ? { token }
        : {}),
  };
}

function material(base64: string | undefined, path: string | undefined, directory: string): Buffer | undefined {
  if (base64) return Buffer.from(base64, "base64");
  if (!path) return undefined;
  const file = resolve(directory, path);
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`a certificate or key that the kubeconfig names cannot be read: ${file}`, {
      cause: error,
    });
  }
}
