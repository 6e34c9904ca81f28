// Runs a built-in image for a test as the kubelet would, on free ports of 127.0.0.1.

import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request, type RequestOptions } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { podEnvironment } from "@gatehouse/apimachinery/pod-environment";
import { createLogFile, type LogFile } from "../logs/log-file.ts";
import { freePort } from "../network/bind-probe.ts";
import { type ContainerProcess, startContainerProcess } from "../pods/container-process.ts";
import { createImageCatalog } from "./catalog.ts";

export interface RunningImage {
  process: ContainerProcess;
  /** Where the first of the image's ports is. */
  port: number;
  /** Where another one is, e.g. `3001/tcp`. */
  portOf(key: string): number;
  log: LogFile;
  send(options: RequestOptions, body?: string): Promise<{ response: IncomingMessage; body: string }>;
  /** SIGKILL, and the temporary files removed. */
  close(): Promise<void>;
}

export interface RunOptions {
  args?: string[];
  environment?: Record<string, string>;
  /** Mounted files: real directories by the path in the container. */
  mounts?: Record<string, string>;
}

/** Resolves when the image says that it listens, or has ended. `ports` are those the image thinks it opens, e.g. `80/tcp`. */
export async function runImage(
  reference: string,
  ports: string[],
  { args = [], environment = {}, mounts = {} }: RunOptions = {},
): Promise<RunningImage> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-image-"));
  const opened = new Map<string, number>();
  for (const key of ports) opened.set(key, await freePort("127.0.0.1", key.endsWith("udp") ? "udp" : "tcp"));
  const portOf = (key = ports[0] ?? ""): number => opened.get(key) ?? 0;
  const listen = Object.fromEntries(ports.map((key) => [key, [{ host: "127.0.0.1", port: portOf(key) }]]));
  const log = createLogFile({ path: join(directory, "0.log"), maxBytes: 1e6 });
  const container = startContainerProcess({
    argv: [...(createImageCatalog().resolve(reference)?.entry ?? []), ...args],
    title: "image test",
    directory,
    environment: {
      HOSTNAME: "pod-1",
      [podEnvironment.podIP]: "127.0.0.1",
      [podEnvironment.listen]: JSON.stringify(listen),
      [podEnvironment.mounts]: JSON.stringify(mounts),
      ...environment,
    },
    log,
  });
  await Promise.race([container.listening, container.exited]);
  return {
    process: container,
    port: portOf(),
    portOf,
    log,
    send: (options, body) => send({ host: "127.0.0.1", port: portOf(), ...options }, body),
    close: async () => {
      container.kill();
      await container.exited;
      await log.end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function send(options: RequestOptions, body?: string): Promise<{ response: IncomingMessage; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ response, body: Buffer.concat(chunks).toString("utf8") }));
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
