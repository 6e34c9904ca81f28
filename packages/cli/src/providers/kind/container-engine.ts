// The containers that are a kind cluster's nodes, as the engine that kind uses shows them.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type KnownFailure, runSuccessfully } from "../../tools/run-program.ts";

export interface NodeContainer {
  /** Where its mounts come from and are, in one text. */
  mounts: string;
  name: string;
  running: boolean;
}

/** In the order in which kind looks for them; all take the same commands. */
const engines = ["docker", "nerdctl", "podman"];
const onRequest = [...engines, "finch", "nerdctl.lima"];

/** kind's own choice: KIND_EXPERIMENTAL_PROVIDER, or the first one that is there. */
export function engineProgram(environment: NodeJS.ProcessEnv = process.env): string {
  const wanted = environment.KIND_EXPERIMENTAL_PROVIDER ?? "";
  if (onRequest.includes(wanted)) return wanted;
  const directories = (environment.PATH ?? "").split(delimiter).filter((directory) => directory !== "");
  return engines.find((name) => directories.some((directory) => existsSync(join(directory, name)))) ?? "docker";
}

/** Docker 28 says "the Docker daemon", 29 "the docker API". */
export const engineFailures: KnownFailure[] = [
  {
    pattern: /permission denied while trying to connect to the docker|connect: permission denied/i,
    remedy: 'this user may not use Docker: sudo usermod -aG docker "$USER", log in anew, then run it again',
  },
  {
    pattern: /cannot connect to the docker daemon|failed to connect to the docker API|docker daemon is not running/i,
    remedy: "Docker is not running: start it (sudo systemctl start docker, or Docker Desktop), then run it again",
  },
  {
    pattern: /cannot connect to podman/i,
    remedy: "Podman is not running: podman machine start, then run it again",
  },
];

/** A stopped cluster's ports are fixed: only a new one can have others. */
const startFailures: KnownFailure[] = [
  ...engineFailures,
  {
    pattern: /(?:Bind for|host port|host port for|listen tcp4?) [\d.]+:(\d+).*(?:already allocated|already in use)/,
    remedy: ([, port = ""]) =>
      `port ${port} of this machine is taken meanwhile: free it and run it again, or gatehouse down and up with other ports`,
  },
];

/** The nodes of the cluster, none when it is not there. Throws a UserError when the engine does not answer. */
export async function nodeContainers(cluster: string): Promise<NodeContainer[]> {
  const label = `label=io.x-k8s.kind.cluster=${cluster}`;
  const rows = await ask(["ps", "--all", "--filter", label, "--format", "{{.Names}}\t{{.Status}}"]);
  return Promise.all(
    rows.map(async (row) => {
      const [name = "", status = ""] = row.split("\t");
      const mounts = await ask(["inspect", "--format", mountsFormat, name]);
      return { name, running: /^up\b/i.test(status), mounts: mounts.join(" ") };
    }),
  );
}

const mountsFormat = "{{range .Mounts}}{{.Source}} {{.Destination}} {{end}}";

/** The lines of its answer that are not empty. */
async function ask(args: string[]): Promise<string[]> {
  const { stdout } = await runSuccessfully({ program: engineProgram(), args, timeoutMs: 30_000 }, engineFailures);
  return stdout.split("\n").filter((line) => line.trim() !== "");
}

/** Does nothing to those that run. Throws a UserError when one cannot be started. */
export async function startContainers(names: string[]): Promise<void> {
  await runSuccessfully({ program: engineProgram(), args: ["start", ...names], timeoutMs: 60_000 }, startFailures);
}

export async function stopContainers(names: string[]): Promise<void> {
  await runSuccessfully({ program: engineProgram(), args: ["stop", ...names], timeoutMs: 120_000 }, engineFailures);
}
