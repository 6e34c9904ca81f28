// Which API server the gateway serves: named by flags, by KUBECONFIG, or the one of the cluster it runs in.

import { existsSync, readFileSync } from "node:fs";
import type { ConnectionOptions } from "@gatehouse/apimachinery/api-connection";
import { loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import { mountedPath } from "@gatehouse/apimachinery/pod-environment";
import type { StaticConfiguration } from "./static-configuration.ts";

const serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Throws an Error with the remedy when nothing says where the API server is, or a file cannot be read. */
export async function findApiServer(
  { kubernetesGateway }: StaticConfiguration,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<ConnectionOptions> {
  const { endpoint, token, certAuthFilePath } = kubernetesGateway;
  if (endpoint) {
    return {
      server: endpoint,
      ...(token ? { token: tokenFrom(mountedPath(token, environment)) ?? token } : {}),
      ...(certAuthFilePath ? { certificateAuthority: readFileSync(mountedPath(certAuthFilePath, environment)) } : {}),
    };
  }
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = environment;
  if (!environment.KUBECONFIG && host) {
    const directory = mountedPath(serviceAccountDirectory, environment);
    return {
      server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
      certificateAuthority: readFileSync(`${directory}/ca.crt`),
      token: readToken(`${directory}/token`),
    };
  }
  return loadConnection(undefined, environment);
}

const tokenFrom = (path: string) => (existsSync(path) ? readToken(path) : undefined);

const TOKEN_LIVES_MS = 10_000;

/** Tokens of ServiceAccounts rotate, long before the old ones end: the file is read again after ten seconds, as reading it for each
 * request would be a part of what requests cost. `now` in milliseconds. */
export function readToken(path: string, now: () => number = () => performance.now()): () => string {
  let token = "";
  let until = -Infinity;
  return () => {
    if (now() < until) return token;
    token = readFileSync(path, "utf8").trim();
    until = now() + TOKEN_LIVES_MS;
    return token;
  };
}
