// Carries out one probe: an HTTP request or a TCP connection to the container, as the kubelet would.
// (getBuiltinModule: see images/container-main.ts for what importing node:http costs.)

import { connect } from "node:net";
import type { Container, ProbeHandler } from "@gatehouse/apimachinery/types/core-v1";
import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";

export interface ProbeResult {
  success: boolean;
  /** What failed, as in the Unhealthy event. */
  message: string;
}

/** Where a container port really is. */
export type Locate = (port: number) => ListenAddress;

/** Why a probe or hook cannot be carried out here, undefined when it can. */
export function unsupportedHandler(handler: ProbeHandler): string | undefined {
  if (handler.exec)
    return "exec is not supported: pods are processes of this host, not containers; use httpGet or tcpSocket";
  if (handler.grpc) return "grpc is not supported yet; use httpGet or tcpSocket";
  return undefined;
}

/** Never rejects. `timeoutMs` covers the whole attempt. */
export async function runHandler(
  handler: ProbeHandler,
  container: Container,
  locate: Locate,
  timeoutMs: number,
): Promise<ProbeResult> {
  try {
    if (handler.httpGet) return await httpGet(handler.httpGet, container, locate, timeoutMs);
    if (handler.tcpSocket) return await tcpSocket(handler.tcpSocket, container, locate, timeoutMs);
    return { success: false, message: "the probe has no handler" };
  } catch (error) {
    return { success: false, message: (error as Error).message };
  }
}

function target(port: number | string, host: string | undefined, container: Container, locate: Locate): ListenAddress {
  const number = typeof port === "number" ? port : namedPort(port, container);
  if (number === undefined) throw new Error(`the container has no port named "${port}"`);
  // With a host of its own the probe goes elsewhere: the port is meant as written.
  return host ? { host, port: number } : locate(number);
}

function namedPort(name: string, container: Container): number | undefined {
  return container.ports?.find((port) => port.name === name)?.containerPort ?? (Number(name) || undefined);
}

async function httpGet(
  action: NonNullable<ProbeHandler["httpGet"]>,
  container: Container,
  locate: Locate,
  timeoutMs: number,
): Promise<ProbeResult> {
  const { host, port } = target(action.port, action.host, container, locate);
  const secure = action.scheme === "HTTPS";
  const { request } = process.getBuiltinModule(secure ? "node:https" : "node:http");
  const headers: Record<string, string | string[]> = {
    "user-agent": "kube-probe/1.34",
    accept: "*/*",
    connection: "close",
  };
  for (const { name, value } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  const path = action.path?.startsWith("/") ? action.path : `/${action.path ?? ""}`;
  const url = `${secure ? "https" : "http"}://${host}:${port}${path}`;
  return new Promise((resolve) => {
    const done = (success: boolean, message: string): void => {
      clearTimeout(timer);
      outgoing.destroy();
      resolve({ success, message });
    };
    const outgoing = request({ host, port, path, method: "GET", headers, agent: false, rejectUnauthorized: false });
    const timer = setTimeout(
      () => done(false, `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`),
      timeoutMs,
    );
    outgoing.on("error", (error) => done(false, `Get "${url}": ${error.message}`));
    outgoing.on("response", (response) => {
      const status = response.statusCode ?? 0;
      const success = status >= 200 && status < 400;
      done(success, success ? "" : `HTTP probe failed with statuscode: ${status}`);
    });
    outgoing.end();
  });
}

function tcpSocket(
  action: NonNullable<ProbeHandler["tcpSocket"]>,
  container: Container,
  locate: Locate,
  timeoutMs: number,
): Promise<ProbeResult> {
  const { host, port } = target(action.port, action.host, container, locate);
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true });
    const done = (success: boolean, message: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ success, message });
    };
    const timer = setTimeout(() => done(false, `dial tcp ${host}:${port}: i/o timeout`), timeoutMs);
    socket.on("connect", () => done(true, ""));
    socket.on("error", (error) => done(false, `dial tcp ${host}:${port}: ${error.message}`));
  });
}
