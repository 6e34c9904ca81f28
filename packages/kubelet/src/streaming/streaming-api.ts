// The part of the kubelet's API that takes a connection over: exec, attach and port-forward, by WebSocket or SPDY/3.1. Who
// calls is known here already.

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Log } from "@gatehouse/apimachinery/log";
import {
  acceptWebSocket,
  asksForWebSocket,
  offeredProtocols,
  refuseUpgrade,
  webSocketStream,
} from "@gatehouse/apimachinery/websocket-server";
import type { PodManager } from "../pods/pod-manager.ts";
import type { PodWorker } from "../pods/pod-worker.ts";
import { runAttach } from "./attach.ts";
import { runExec } from "./exec-process.ts";
import {
  forwardOverChannels,
  forwardOverSpdy,
  portForwardChannelProtocols,
  portForwardProtocol,
  queryPorts,
} from "./port-forward.ts";
import { parseSessionRequest, type RemoteSession, type SessionRequest } from "./remote-session.ts";
import { spdySession, spdySessionProtocols } from "./spdy-session.ts";
import { sessionProtocols, webSocketSession } from "./websocket-session.ts";

/** As Kubernetes' --streaming-connection-idle-timeout. */
const idleTimeoutMs = 4 * 60 * 60_000;
const tunnelPrefix = "SPDY/3.1+";

interface Connection {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  query: URLSearchParams;
}

/** Answers an upgrade request on `url`; what it cannot serve is refused in plain text. Resolves when all is over. */
export async function serveStreaming(
  manager: PodManager,
  url: URL,
  connection: Omit<Connection, "query">,
  log: Log,
): Promise<void> {
  const { socket } = connection;
  const [, route, namespace = "", name = "", container, more] = url.pathname.split("/");
  const forwards = route === "portForward";
  const known = forwards || route === "exec" || route === "attach";
  if (!known || more !== undefined || (container === undefined) !== forwards)
    return refuseUpgrade(socket, 404, "404 page not found");
  const worker = manager.worker(namespace, name);
  if (!worker) return refuseUpgrade(socket, 404, `pod "${name}" does not exist`);
  (socket as Partial<Socket>).setTimeout?.(idleTimeoutMs, () => socket.destroy());
  const full = { ...connection, query: url.searchParams };
  try {
    if (forwards) await forward(full, worker);
    else await runSession(full, worker, route, container ?? "");
  } catch (error) {
    log.warn(`${route} of ${namespace}/${name}: ${(error as Error).message}`);
    socket.destroy();
  }
}

async function runSession(connection: Connection, worker: PodWorker, route: string, name: string): Promise<void> {
  const { socket, query } = connection;
  const wanted = parseSessionRequest(query);
  if (typeof wanted === "string") return refuseUpgrade(socket, 400, wanted);
  const instance = worker.running(name);
  if (!instance) return refuseUpgrade(socket, 404, `container not found (${JSON.stringify(name)})`);
  const command = query.getAll("command");
  if (route === "exec" && command.length === 0) return refuseUpgrade(socket, 400, "you must specify a command");
  if (route === "attach" && wanted.stdin && !instance.stdin) {
    return refuseUpgrade(socket, 400, `container "${name}" has no standard input: its spec does not say stdin: true`);
  }
  const session = await open(connection, wanted);
  if (!session) return;
  if (route === "exec") await runExec(session, { instance, command, tty: wanted.tty });
  else await runAttach(session, instance);
}

async function open(connection: Connection, wanted: SessionRequest): Promise<RemoteSession | undefined> {
  const { request, socket, head } = connection;
  if (asksForWebSocket(request)) {
    const webSocket = await acceptWebSocket(request, socket, head, sessionProtocols);
    return webSocket && webSocketSession(webSocket, wanted);
  }
  const protocol = acceptSpdy(connection, spdySessionProtocols);
  return protocol === undefined ? undefined : spdySession(socket, wanted, protocol);
}

async function forward(connection: Connection, worker: PodWorker): Promise<void> {
  const { request, socket, head, query } = connection;
  const target = worker.forwardTarget();
  if (!target) return refuseUpgrade(socket, 404, `pod "${worker.pod.metadata.name}" is not running`);
  if (!asksForWebSocket(request)) {
    if (acceptSpdy(connection, [portForwardProtocol]) !== undefined) await forwardOverSpdy(socket, target);
    return;
  }
  if (offeredProtocols(request).includes(tunnelPrefix + portForwardProtocol)) {
    const webSocket = await acceptWebSocket(request, socket, head, [tunnelPrefix + portForwardProtocol]);
    if (webSocket) await forwardOverSpdy(webSocketStream(webSocket), target);
    return;
  }
  const ports = queryPorts(query);
  if (typeof ports === "string") return refuseUpgrade(socket, 400, ports);
  const webSocket = await acceptWebSocket(request, socket, head, portForwardChannelProtocols);
  if (webSocket) await forwardOverChannels(webSocket, ports, target);
}

/** Answers 101 and returns the protocol agreed on; undefined when there is none and the client was told. */
function acceptSpdy({ request, socket, head }: Connection, supported: readonly string[]): string | undefined {
  const header = request.headers["x-stream-protocol-version"] ?? "";
  const offered = (Array.isArray(header) ? header : header.split(",")).map((name) => name.trim()).filter(Boolean);
  const chosen = offered.length === 0 ? supported.at(-1) : offered.find((name) => supported.includes(name));
  if (chosen === undefined) {
    const accepted = supported.map((name) => `X-Accepted-Stream-Protocol-Versions: ${name}`);
    const problem = `unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${supported.join(" ")}]`;
    refuseUpgrade(socket, 403, problem, accepted);
    return undefined;
  }
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    "Upgrade: SPDY/3.1",
    `X-Stream-Protocol-Version: ${chosen}`,
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  return chosen;
}
