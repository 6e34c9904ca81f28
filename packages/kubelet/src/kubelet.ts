// The kubelet: runs the pods bound to this node as processes, tells the API server how they are, and opens the ports of
// Services on the node (kube-proxy elsewhere).

import { mkdirSync } from "node:fs";
import type { Server } from "node:https";
import type { Duplex } from "node:stream";
import { join } from "node:path";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import { createEventRecorder } from "./events.ts";
import type { ImageCatalog } from "./images/catalog.ts";
import { kubeletApi, kubeletStreaming } from "./kubelet-api.ts";
import type { PortMapping } from "./network/listen-plan.ts";
import { clusterNetwork } from "./network/pod-addresses.ts";
import { claimSubnet, listenWith } from "./network/subnet-claim.ts";
import { createNodeRegistration } from "./node/node-registration.ts";
import type { ApiAddress } from "./pods/api-access.ts";
import { createObjectSources } from "./pods/object-sources.ts";
import { createPodManager, type PodManager } from "./pods/pod-manager.ts";
import { startServiceProxy } from "./service-proxy/service-proxy.ts";

export interface KubeletOptions {
  client: ApiClient;
  log: Log;
  nodeName: string;
  /** Pod directories live under `pods/` here, mode 0700. */
  stateDirectory: string;
  images: ImageCatalog;
  portMappings: PortMapping[];
  /** How pods reach the API server. */
  api: ApiAddress;
  /** The kubelet API's own certificate (PEM). */
  tls: { cert: string | Buffer; key: string | Buffer; ca?: string | Buffer };
  /** The bearer token that the API server presents. */
  token: string;
  /** N of 127.N.0.0/16, tried first. */
  preferredSubnet?: number;
}

export interface Kubelet {
  nodeIP: string;
  /** N of 127.N.0.0/16, undefined where the host has only 127.0.0.1. */
  subnet: number | undefined;
  /** The port of the kubelet API on the node's address. */
  port: number;
  /** Resolves when the Node is registered, the pods bound to it are being started, and their statuses say so, and the ports of
   * Services are open; rejects when the Node is refused. */
  ready: Promise<void>;
  /** Ends all pods' processes (SIGKILL after `graceMs`) and gives the network back. The objects stay as they are. */
  stop(options: { graceMs: number }): Promise<void>;
}

/** Resolves once the network is claimed and the kubelet API listens; rejects when no network can be had. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { client, log, nodeName, images, stateDirectory } = options;
  let manager: PodManager | undefined;
  const server = createServer(options, () => manager as PodManager);
  const streams = new Set<Duplex>();
  server.on("upgrade", (_request, socket: Duplex) => {
    streams.add(socket);
    socket.once("close", () => streams.delete(socket));
  });
  const claim = await claimSubnet(listenWith(server), options.preferredSubnet);
  const network = clusterNetwork(claim.subnet);
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });

  const events = createEventRecorder(client, nodeName, log);
  const sources = createObjectSources(client, (error) => log.warn(`watching objects: ${(error as Error).message}`));
  manager = createPodManager(
    {
      client,
      log,
      events,
      images,
      sources,
      network,
      portMappings: options.portMappings,
      api: options.api,
      podsDirectory: join(stateDirectory, "pods"),
      compileCache: process.env.NODE_COMPILE_CACHE ?? join(stateDirectory, "compile-cache"),
    },
    nodeName,
  );
  const registration = createNodeRegistration({
    client,
    log,
    nodeName,
    nodeIP: network.nodeIP,
    podCIDR: network.podCIDR,
    kubeletPort: claim.port,
    images: images.names,
  });
  const { nodeIP } = network;
  const proxy = startServiceProxy({ client, log, events, nodeIP, portMappings: options.portMappings });
  const ready = Promise.all([registration.register(), manager.start(), proxy.ready]).then(() => undefined);
  // Reported to whoever waits for `ready`, and not a second time as an unhandled rejection.
  ready.catch(() => undefined);

  return {
    nodeIP,
    subnet: claim.subnet,
    port: claim.port,
    ready,
    stop: async ({ graceMs }) => {
      registration.stop();
      events.stop();
      // First: a pod may be waiting for an object that an unreachable API server does not tell of.
      sources.stop();
      await Promise.all([proxy.stop(), manager.stop(graceMs)]);
      for (const stream of streams) stream.destroy();
      await close(server);
    },
  };
}

function createServer({ tls, token, log }: KubeletOptions, manager: () => PodManager): Server {
  // See images/container-main.ts for what importing node:http(s) costs.
  const { createServer: create } = process.getBuiltinModule("node:https");
  const server = create({ cert: tls.cert, key: tls.key }, kubeletApi({ manager, token, log }));
  return server.on("upgrade", kubeletStreaming({ manager, token, log }));
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
