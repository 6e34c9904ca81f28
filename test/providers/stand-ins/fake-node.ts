// The Kubernetes in a pretended node container: a real embedded cluster without the demo, whose state lies in the fake
// engine's directory.

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { ContextEntry } from "../../../packages/cli/src/kubeconfig-file.ts";
import { createProgress } from "../../../packages/cli/src/progress.ts";
import { EmbeddedProvider } from "../../../packages/cli/src/providers/embedded/embedded-provider.ts";
import { engineDirectory, type FakeContainer } from "./fake-engine.ts";

interface Kubeconfig {
  clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
  users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

const quiet = () => createProgress({ write: () => {}, terminal: false, quiet: true });
const kubeconfigOf = (cluster: string): string => join(engineDirectory, "nodes", cluster, "kubeconfig");

export async function startNode(container: Pick<FakeContainer, "cluster" | "ports">): Promise<void> {
  const { provider } = inside(container);
  await provider.create(quiet());
}

export async function stopNode(container: Pick<FakeContainer, "cluster" | "ports">): Promise<void> {
  await inside(container).provider.stop();
}

export async function removeNode(container: Pick<FakeContainer, "cluster" | "ports">): Promise<void> {
  const { provider } = inside(container);
  await provider.destroy(quiet());
  rmSync(join(engineDirectory, "nodes", container.cluster), { recursive: true, force: true });
}

/** The administrator's credentials under the name that kind gives the context. */
export function nodeCredentials(cluster: string): ContextEntry {
  const { clusters, users } = parse(readFileSync(kubeconfigOf(cluster), "utf8")) as Kubeconfig;
  const decode = (text = ""): string => Buffer.from(text, "base64").toString();
  return {
    context: `kind-${cluster}`,
    server: clusters[0]?.cluster.server ?? "",
    certificateAuthority: decode(clusters[0]?.cluster["certificate-authority-data"]),
    clientCertificate: decode(users[0]?.user["client-certificate-data"]),
    clientKey: decode(users[0]?.user["client-key-data"]),
  };
}

/** The embedded cluster with state and kubeconfig of its own. This process is the stand-in's alone: so is its environment. */
function inside({ cluster, ports }: Pick<FakeContainer, "cluster" | "ports">): { provider: EmbeddedProvider } {
  process.env.GATEHOUSE_HOME = join(engineDirectory, "nodes", cluster, "home");
  process.env.KUBECONFIG = kubeconfigOf(cluster);
  const portWishes = ports.map(({ hostPort, containerPort }) => ({
    containerPort,
    preferred: hostPort,
    fallback: hostPort,
    chosen: hostPort,
    option: "hostPort",
  }));
  return { provider: new EmbeddedProvider({ name: cluster, portWishes }) };
}
