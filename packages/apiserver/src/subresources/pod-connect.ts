// exec, attach and port-forward: the Pod and the container are looked up here, then the connection is the kubelet's. From the
// kubelet's 101 on, this server only copies bytes.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { badRequest, notFound } from "@gatehouse/apimachinery/status-error";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import { isTrue } from "../http/request-info.ts";
import { readObject } from "../storage/stored-objects.ts";
import { askKubelet, containerOf, kubeletRefusal, textOf } from "./kubelet-request.ts";

/** How long a side that was told of the end may take to close. */
const lingerMs = 2_000;

/** Said to the client as it was said to us; the credentials are not. */
const passedOn = /^(?:connection|upgrade|x-stream-protocol-version|sec-websocket-(?!protocol).*)$/;

/**
 * The way into the Pod, opened: call the result to give the client's connection to it, once nothing else is written there.
 * Throws 404 without the Pod, 400 when there is nothing to connect to, 503 when no kubelet answers.
 */
export async function podConnect(
  context: ApiContext,
  request: ResourceRequest,
  client: { request: IncomingMessage; head: Buffer; protocols: string[] },
): Promise<(socket: Duplex) => void> {
  const { definition, namespace = "", name = "" } = request;
  await context.store.settled();
  const pod = readObject(context.store, definition, namespace, name) as Pod | undefined;
  if (!pod) throw notFound(subjectOf(definition, name));
  const node = context.store.get("/nodes", pod.spec.nodeName ?? "");
  const path = kubeletPath(pod, request);
  if (!node) throw badRequest(`pod ${name} does not have a host assigned`);
  const headers: Record<string, string | string[]> = {};
  for (const [key, value] of Object.entries(client.request.headers))
    if (value !== undefined && passedOn.test(key)) headers[key] = value;
  if (client.protocols.length > 0) headers["sec-websocket-protocol"] = client.protocols.join(", ");
  const upgrade = { method: client.request.method ?? "GET", headers };
  const answer = await askKubelet(context, node, path, request.signal, upgrade);
  if (answer.statusCode !== 101) throw kubeletRefusal(answer.statusCode ?? 500, await textOf(answer));
  return (socket) => tunnel(answer, socket, client.head);
}

/** As the kubelet's API spells it (k8s pkg/registry/core/pod/strategy.go, streamLocation). */
function kubeletPath(pod: Pod, { subresource = "", query }: ResourceRequest): string {
  const { namespace = "", name } = pod.metadata;
  const place = [namespace, name].map(encodeURIComponent).join("/");
  if (subresource === "portforward") {
    const ports = new URLSearchParams(query.getAll("ports").map((port): [string, string] => ["ports", port]));
    return `/portForward/${place}${ports.size > 0 ? `?${ports.toString()}` : ""}`;
  }
  const container = containerOf(pod, query.get("container") ?? "");
  const parameters = new URLSearchParams();
  // Outputs are wanted unless they are declined (k8s pkg/apis/core/v1, defaults of PodExecOptions).
  const outputs = ["stdout", "stderr"].map((stream) => !query.has(stream) || isTrue(query.get(stream)));
  if (isTrue(query.get("stdin"))) parameters.set("input", "1");
  if (outputs[0]) parameters.set("output", "1");
  if (outputs[1]) parameters.set("error", "1");
  if (isTrue(query.get("tty"))) parameters.set("tty", "1");
  for (const word of query.getAll("command")) parameters.append("command", word);
  return `/${subresource}/${place}/${encodeURIComponent(container)}?${parameters.toString()}`;
}

/** Both directions until either side is gone; then both are. */
function tunnel(answer: IncomingMessage, client: Duplex, head: Buffer): void {
  const kubelet = answer.socket;
  const lines = [`HTTP/1.1 101 ${answer.statusMessage ?? "Switching Protocols"}`];
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2)
    lines.push(`${answer.rawHeaders[at]}: ${answer.rawHeaders[at + 1]}`);
  client.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (head.length > 0) kubelet.write(head);
  for (const [from, to] of [
    [client, kubelet],
    [kubelet, client],
  ] as const) {
    from.on("error", () => from.destroy());
    // What was written before still arrives: `pipe` ends the other side, and only a close in the middle cuts it.
    from.on("close", () => {
      if (!from.readableEnded) return to.destroy();
      to.end();
      setTimeout(() => to.destroy(), lingerMs).unref();
    });
    from.pipe(to);
  }
}
