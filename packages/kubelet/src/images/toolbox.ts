// The program behind `kubectl exec`: one small program, named by the arguments, beside a container. It sees the container's
// directory and volumes, its environment and its ports, and ends when the kubelet closes the control channel.

import { openContainerControl } from "@gatehouse/apimachinery/container-control";
import { type ExecDetails, podEnvironment } from "@gatehouse/apimachinery/pod-environment";
import { ContainerFiles } from "../toolbox/container-files.ts";
import { runProgram } from "../toolbox/run-program.ts";

const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

async function main(): Promise<void> {
  const details = process.env[podEnvironment.exec];
  if (details === undefined || process.env[podEnvironment.mounts] === undefined)
    throw new Error("the toolbox is started by the kubelet, for kubectl exec");
  openContainerControl();
  const container = JSON.parse(details) as ExecDetails;
  const files = new ContainerFiles(process.env, process.cwd());
  const write = writerTo(process.stdout);
  const complain = writerTo(process.stderr);
  process.exitCode = await runProgram(process.argv.slice(2), {
    files,
    environment: environmentOf(container),
    hostEnvironment: process.env,
    container,
    stdin: process.stdin,
    out: write,
    run: runProgram,
    err: (line) => complain(`${line}\n`),
  });
  process.stdin.destroy();
}

/** What the pod spec made of it: without this host's paths, and without the kubelet's own variables. */
function environmentOf({ tty }: ExecDetails): Record<string, string> {
  const own = /^(?:GATEHOUSE_|NODE_COMPILE_CACHE$|KUBECONFIG$)/;
  const entries = Object.entries(process.env).filter(([name]) => !own.test(name)) as [string, string][];
  return { ...Object.fromEntries(entries), PATH: searchPath, HOME: "/", ...(tty ? { TERM: "xterm" } : {}) };
}

/** Nobody reads any more: as a signal SIGPIPE would have it. */
function writerTo(stream: NodeJS.WriteStream): (data: string | Buffer) => Promise<void> {
  stream.on("error", () => process.exit(141));
  return (data) => new Promise((resolve) => stream.write(data, () => resolve()));
}

await main();
