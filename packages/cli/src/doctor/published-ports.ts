// Which host ports containers of an engine publish: the usual holders of 80 and 443, and not to be seen in /proc by others.

import type { EngineName } from "./facts.ts";
import { type ProbeOptions, probeProgram } from "./probe-program.ts";

export interface PublishedPorts {
  container: string;
  /** The kind cluster whose node it is. */
  kindCluster?: string;
  /** First and last host port of each mapping (TCP). */
  ranges: [number, number][];
}

const clusterLabel = "io.x-k8s.kind.cluster";

/** Of all running containers; empty when the engine does not answer. Never rejects. */
export async function publishedPorts(engine: EngineName, options: ProbeOptions): Promise<PublishedPorts[]> {
  const answer = await probeProgram(engine, ["ps", "--format", engine === "podman" ? "json" : "{{json .}}"], options);
  if (answer.outcome !== "ended" || answer.code !== 0) return [];
  try {
    return engine === "podman"
      ? (JSON.parse(answer.stdout) as PodmanContainer[]).map(podmanPorts)
      : answer.stdout
          .split("\n")
          .filter((line) => line.trim() !== "")
          .map((line) => dockerPorts(JSON.parse(line) as DockerContainer));
  } catch {
    return [];
  }
}

/** `Ports` as people read it: `127.0.0.1:80->80/tcp, 0.0.0.0:9000-9001->9000-9001/tcp, [::]:53->53/udp`. */
interface DockerContainer {
  Names?: string;
  Ports?: string;
  Labels?: string;
}

function dockerPorts({ Names = "", Ports = "", Labels = "" }: DockerContainer): PublishedPorts {
  const label = Labels.split(",").find((entry) => entry.startsWith(`${clusterLabel}=`));
  const ranges = [...Ports.matchAll(/:(\d+)(?:-(\d+))?->[\d-]+\/tcp/g)].map(([, first, last]): [number, number] => [
    Number(first),
    Number(last ?? first),
  ]);
  return withCluster({ container: Names, ranges }, label?.slice(clusterLabel.length + 1));
}

interface PodmanContainer {
  Names?: string[];
  Labels?: Record<string, string> | null;
  Ports?: { host_port?: number; range?: number; protocol?: string }[] | null;
}

function podmanPorts({ Names, Labels, Ports }: PodmanContainer): PublishedPorts {
  const ranges = (Ports ?? [])
    .filter(({ protocol = "tcp" }) => protocol.includes("tcp"))
    .map(({ host_port = 0, range = 1 }): [number, number] => [host_port, host_port + Math.max(range, 1) - 1]);
  return withCluster({ container: Names?.[0] ?? "", ranges }, Labels?.[clusterLabel]);
}

function withCluster(ports: PublishedPorts, kindCluster: string | undefined): PublishedPorts {
  return kindCluster ? { ...ports, kindCluster } : ports;
}
