// The background process of one embedded cluster: API server, controllers and kubelet, wired together. It owns the state
// directory given as its only argument, and ends with SIGTERM.

import { kubeletProxy } from "@gatehouse/apiserver/kubelet-proxy";
import { type ApiServer, createApiServer } from "@gatehouse/apiserver/server";
import { clientOver } from "@gatehouse/apimachinery/api-client";
import { createApiConnection } from "@gatehouse/apimachinery/api-connection";
import { createLog, type Log } from "@gatehouse/apimachinery/log";
import { startControllerManager } from "@gatehouse/controller-manager/controller-manager";
import { startKubelet } from "@gatehouse/kubelet/kubelet";
import { type CatalogEntry, createImageCatalog } from "@gatehouse/kubelet/images/catalog";
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import {
  changeClusterState,
  isClusterDirectory,
  readClusterState,
  removeClusterRuntime,
  writeClusterRuntime,
} from "../../cluster-state.ts";
import { gatewayImageProgram } from "../../program-files.ts";
import { version } from "../../version.ts";
import { clusterFiles } from "./cluster-files.ts";
import { type EmbeddedState, nodeNameOf } from "./embedded-state.ts";
import type { ClusterMessage } from "./cluster-messages.ts";
import { kubeletServerName } from "./kubelet-server-name.ts";
import type { Pki } from "./pki.ts";
import { waitForPki } from "./pki-handover.ts";
import { clusterNodeOptions, gatewayNodeOptions } from "./processes.ts";

const stopGraceMs = 300;
const stateCheckMs = 1_000;

interface Parts {
  apiServer: ApiServer;
  stop: () => Promise<void>;
  nodeIP: string;
  subnet: number | undefined;
}

async function main(directory: string): Promise<void> {
  const files = clusterFiles(directory);
  const state = readClusterState<EmbeddedState>(directory);
  if (!state) throw new Error(`${directory} holds no cluster`);
  refuseLostState(state, files.database);
  const log = createLog("cluster");
  const parts = await startParts(state, await waitForPki(files), log);

  const runtime = {
    pid: process.pid,
    apiPort: parts.apiServer.port,
    nodeIP: parts.nodeIP,
    startedAt: new Date().toISOString(),
  };
  changeClusterState<EmbeddedState>(directory, {
    apiPort: runtime.apiPort,
    ...(parts.subnet === undefined ? {} : { subnet: parts.subnet }),
  });
  writeClusterRuntime(directory, runtime);
  stopInTime(directory, async () => {
    await parts.stop();
    removeClusterRuntime(directory);
  });
  tell({ type: "ready", runtime });
  process.off("disconnect", leave);
  process.disconnect?.();
}

/** A cluster that was complete must not come back empty because its file went. */
function refuseLostState({ complete }: EmbeddedState, database: string): void {
  const size = statSync(database, { throwIfNoEntry: false })?.size ?? 0;
  if (!complete || size > 0) return;
  throw new Error(
    `cluster state ${database} is gone: restore a backup with gatehouse restore FILE --force, or begin anew with gatehouse down and gatehouse up`,
  );
}

async function startParts(state: EmbeddedState, pki: Pki, log: Log): Promise<Parts> {
  const files = clusterFiles(process.argv[2] ?? "");
  const kubeletToken = randomBytes(32).toString("hex");
  const apiServer = await createApiServer({
    statePath: files.database,
    tls: { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key },
    host: "127.0.0.1",
    port: state.apiPort,
    serviceAccountKey: pki.serviceAccountKey,
    nodeProxy: kubeletProxy({ ca: pki.ca, serverName: kubeletServerName, token: kubeletToken }),
    log: createLog("apiserver"),
  });
  const client = async (user: string) =>
    clientOver(
      await createApiConnection({
        connect: () => apiServer.connectInProcess({ user, groups: ["system:masters", "system:authenticated"] }),
        userAgent: `gatehouse/${version} ${user}`,
      }),
    );
  const [controllerClient, kubeletClient] = await Promise.all([
    client("system:kube-controller-manager"),
    client(`system:node:${nodeNameOf(state)}`),
  ]);
  const kubelet = await startKubelet({
    client: kubeletClient,
    log: createLog("kubelet"),
    nodeName: nodeNameOf(state),
    stateDirectory: files.node,
    images: createImageCatalog([gatewayImage(state)]),
    portMappings: state.portMappings,
    api: { server: `https://127.0.0.1:${apiServer.port}`, certificateAuthority: pki.ca },
    tls: { ca: pki.ca, cert: pki.server.certificate, key: pki.server.key },
    token: kubeletToken,
    ...(state.subnet === undefined ? {} : { preferredSubnet: state.subnet }),
  });
  const controllers = startControllerManager({
    client: controllerClient,
    log: createLog("controllers"),
    clusterCA: pki.ca,
  });
  await Promise.all([kubelet.ready, controllers.ready]);
  log.info(`cluster ${state.name} answers at https://127.0.0.1:${apiServer.port}, node ${kubelet.nodeIP}`);
  return {
    apiServer,
    nodeIP: kubelet.nodeIP,
    subnet: kubelet.subnet,
    stop: async () => {
      await Promise.all([controllers.stop(), kubelet.stop({ graceMs: stopGraceMs })]);
      await apiServer.close();
    },
  };
}

/** The image `traefik` is played by our own gateway, or by the Traefik of this machine if the cluster's owner said so. */
function gatewayImage({ gateway }: EmbeddedState): CatalogEntry {
  const node = [process.execPath, ...process.execArgv.filter((option) => !clusterNodeOptions.includes(option))];
  return {
    name: "traefik",
    repositories: ["traefik"],
    entry: gateway
      ? [...node, gatewayImageProgram("traefik-binary"), gateway.binary]
      : [...node, ...gatewayNodeOptions, gatewayImageProgram("traefik")],
    commands: ["/entrypoint.sh", "traefik"],
  };
}

/** Stops on a signal, or when somebody removes the state: no command would find the process any more. */
function stopInTime(directory: string, stop: () => Promise<void>): void {
  let stopping: Promise<void> | undefined;
  const end = (): void => {
    stopping ??= stop().then(
      () => process.exit(0),
      (error: unknown) => {
        createLog("cluster").error("stopping failed", error);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  setInterval(() => {
    if (!isClusterDirectory(directory)) end();
  }, stateCheckMs).unref();
}

/** The command that starts the cluster died before it was there: nobody would know of it. */
function leave(): void {
  process.exit(1);
}

function tell(message: ClusterMessage): void {
  process.send?.(message);
}

process.title = "gatehouse cluster";
// The terminal that started the cluster may close: the cluster stays.
process.on("SIGHUP", () => {});
process.once("disconnect", leave);
await main(process.argv[2] ?? "").catch((error: unknown) => {
  createLog("cluster").error("start failed", error);
  tell({ type: "failed", message: error instanceof Error ? error.message : String(error) });
  process.exit(1);
});
