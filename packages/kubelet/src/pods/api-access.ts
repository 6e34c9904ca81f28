// How a pod's program reaches the API server: its ServiceAccount's files where a pod expects them, and a kubeconfig
// that names them.

import { renameSync, writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Pod, ServiceAccount } from "@gatehouse/apimachinery/types/core-v1";

export interface ApiAddress {
  /** `https://host:port`. */
  server: string;
  /** PEM. */
  certificateAuthority: string;
}

/** Where every Kubernetes client looks for its ServiceAccount. */
export const serviceAccountPath = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Whether the pod gets a token: its own word counts before its ServiceAccount's. */
export function mountsToken(pod: Pod, account: ServiceAccount | undefined): boolean {
  return pod.spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true;
}

/** Writes `token`, `ca.crt`, `namespace` and `kubeconfig`; again after each renewal. Returns the kubeconfig's path. */
export function writeApiAccess(directory: string, api: ApiAddress, namespace: string, token: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const tokenFile = join(directory, "token");
  const kubeconfig = join(directory, "kubeconfig");
  const files = {
    "ca.crt": api.certificateAuthority,
    namespace,
    token,
    kubeconfig: JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        { name: "gatehouse", cluster: { server: api.server, "certificate-authority": join(directory, "ca.crt") } },
      ],
      users: [{ name: "serviceaccount", user: { tokenFile } }],
      contexts: [{ name: "gatehouse", context: { cluster: "gatehouse", user: "serviceaccount", namespace } }],
      "current-context": "gatehouse",
    }),
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    // Renamed into place: a reader never sees half a token.
    writeFileSync(`${path}.next`, text, { mode: 0o600 });
    renameSync(`${path}.next`, path);
  }
  return kubeconfig;
}
