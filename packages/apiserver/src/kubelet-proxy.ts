// The API server's way to kubelets: HTTPS to the address and port that the Node states, with a bearer token.

import type { IncomingMessage } from "node:http";
import type { NodeProxy } from "./api-context.ts";

export interface KubeletProxyOptions {
  /** PEM of the authority that kubelets' certificates are checked against. */
  ca: string;
  /** The name in those certificates. */
  serverName: string;
  token: string;
}

/** Each request has a connection of its own if it is to be upgraded; others are kept for a while. */
export function kubeletProxy({ ca, serverName, token }: KubeletProxyOptions): NodeProxy {
  return async (node, path, signal, upgrade) => {
    const { request } = await import("node:https");
    const host = node.status?.addresses?.find((address) => address.type === "InternalIP")?.address ?? "127.0.0.1";
    const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250;
    const headers = { ...upgrade?.headers, authorization: `Bearer ${token}` };
    const method = upgrade?.method ?? "GET";
    return new Promise((resolve, reject) => {
      const target = { host, port, path, method, ca, servername: serverName, headers, signal };
      const outgoing = request(upgrade ? { ...target, agent: false } : target);
      outgoing.on("response", resolve);
      outgoing.on("upgrade", (answer: IncomingMessage, _socket, head: Buffer) => {
        if (head.length > 0) answer.socket.unshift(head);
        resolve(answer);
      });
      outgoing.on("error", reject);
      outgoing.end();
    });
  };
}
