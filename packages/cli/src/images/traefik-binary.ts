// The image `traefik` on a cluster whose owner chose the real one: starts the Traefik binary (first argument) as the pod's
// program, with the pod's flags (the others), and carries the host's ports to it. It lives exactly as long as its Traefik.

import { type ContainerControl, openContainerControl } from "@gatehouse/apimachinery/container-control";
import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import { openTcpForwarder } from "@gatehouse/kubelet/network/tcp-forwarder";
import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { hostConfigurationFile } from "./traefik-configuration-file.ts";
import { type EntryPointPlaces, traefikCommandLine, TraefikRefusal } from "./traefik-command-line.ts";

const firstPollMs = 10;
const maxPollMs = 200;

function main(): void {
  let traefik: ChildProcess | undefined;
  const control = openContainerControl(() => {
    traefik?.kill("SIGKILL");
    process.exit(0);
  });
  const [binary = "traefik", ...argv] = process.argv.slice(2);
  const { args, entryPoints } = commandLine(argv);
  const child = startTraefik(binary, args);
  traefik = child;
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGINT", () => child.kill("SIGINT"));
  void serve(entryPoints, child, control);
}

function commandLine(argv: string[]): ReturnType<typeof traefikCommandLine> {
  try {
    const file = hostConfigurationFile();
    if (file)
      throw new TraefikRefusal(`${file} exists, and Traefik would read it instead of the pod's flags: move it away`);
    if (!process.env.KUBECONFIG) {
      throw new TraefikRefusal("the pod has no access to the API server: set automountServiceAccountToken: true");
    }
    return traefikCommandLine(argv);
  } catch (error) {
    if (!(error instanceof TraefikRefusal)) throw error;
    return leave(1, error.message);
  }
}

/** In the kubelet's process group, so that a kill of the container reaches it too. */
function startTraefik(binary: string, args: string[]): ChildProcess {
  const child = spawn(binary, args, {
    argv0: "traefik",
    // Traefik reads ./traefik.yml instead of flags if there is one; no flag of the pod leads to a file in this directory.
    ...(process.env.HOME ? { cwd: process.env.HOME } : {}),
    env: traefikEnvironment(process.env),
    stdio: ["ignore", "inherit", "inherit"],
  });
  child.on("error", (error) => {
    if (child.pid === undefined) leave(128, `the Traefik binary cannot be started: ${error.message}`);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  return child;
}

/** Without what is meant for this program, and without other ways to configure Traefik. In-cluster access is looked for
 * before KUBECONFIG, in /var/run/secrets of the host (traefik: pkg/provider/kubernetes/gateway, newK8sClient). */
function traefikEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = /^(?:GATEHOUSE_|NODE_|TRAEFIK_|KUBERNETES_SERVICE_|XDG_CONFIG_HOME$)/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !foreign.test(name)));
}

async function serve(entryPoints: EntryPointPlaces[], child: ChildProcess, control: ContainerControl): Promise<void> {
  const tcp = entryPoints.filter(({ protocol }) => protocol === "tcp");
  await Promise.all(tcp.map(({ pod }) => untilOpen(pod, child)));
  await Promise.all(entryPoints.flatMap((entryPoint) => entryPoint.others.map((place) => carry(entryPoint, place))));
  control.listening();
}

/** Resolves when the address accepts connections; its process ends this one if it never does. */
async function untilOpen({ host, port }: ListenAddress, child: ChildProcess): Promise<void> {
  for (let waitMs = firstPollMs; child.exitCode === null && child.signalCode === null;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port });
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    await delay(waitMs);
    waitMs = Math.min(waitMs * 2, maxPollMs);
  }
}

/** A place that cannot be had is only reported: the pod serves all the same. */
async function carry({ name, protocol, pod }: EntryPointPlaces, place: ListenAddress): Promise<void> {
  if (protocol === "udp") return warn(`host port of entrypoint ${name} not opened: UDP is not forwarded`);
  await openTcpForwarder(place, () => [pod]).catch((error: Error) => warn(`host port not opened: ${error.message}`));
}

function warn(message: string): void {
  process.stderr.write(`${message}\n`);
}

function leave(code: number, message: string): never {
  warn(message);
  process.exit(code);
}

main();
