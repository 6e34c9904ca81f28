// Requests that ask for another protocol: watches and logs over WebSockets, the way into pods, and who may take it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { after, before, describe, it } from "node:test";
import { connect as connectTls } from "node:tls";
import { WebSocket } from "ws";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { configMaps, nodes, type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import type { NodeProxy } from "./api-context.ts";
import { startTestServer, type TestServer } from "./testing.ts";

let cluster: TestServer;
let client: ApiClient;
/** What the kubelet was asked, newest last. */
const asked: IncomingMessage[] = [];
/** Streams that the kubelet holds. */
const held = new Set<Duplex>();

/** A kubelet that sends back what it gets, or refuses. */
const kubelet = createServer((incoming, response) => {
  asked.push(incoming);
  response.end("first\nsecond\n");
});
kubelet.on("upgrade", (incoming: IncomingMessage, socket: Duplex) => {
  asked.push(incoming);
  held.add(socket);
  socket.on("close", () => held.delete(socket));
  socket.on("error", () => socket.destroy());
  if (incoming.url?.includes("refused")) {
    socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 9\r\n\r\nno such c");
    return;
  }
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Chosen: one\r\n\r\n");
  socket.pipe(socket);
});

const nodeProxy: NodeProxy = (_node, path, signal, upgrade) =>
  new Promise((resolve, reject) => {
    const { port } = kubelet.address() as AddressInfo;
    const outgoing = request({ port, path, ...upgrade, signal, agent: false });
    outgoing.on("response", resolve);
    outgoing.on("upgrade", resolve);
    outgoing.on("error", reject);
    outgoing.end();
  });

before(async () => {
  await new Promise<void>((resolve) => kubelet.listen(0, "127.0.0.1", resolve));
  cluster = await startTestServer({ tls: true, nodeProxy });
  client = await cluster.client();
  await client.create(nodes, { apiVersion: "v1", kind: "Node", metadata: { name: "up" } });
  const containers = [{ name: "a", image: "b" }];
  const specs: Record<string, Pod["spec"]> = {
    bound: { nodeName: "up", containers },
    refused: { nodeName: "up", containers },
    unbound: { containers },
    many: { nodeName: "up", containers: [...containers, { name: "c", image: "d" }] },
  };
  for (const [name, spec] of Object.entries(specs))
    await client.create(pods, { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" }, spec });
});
after(async () => {
  await cluster.close();
  kubelet.close();
  kubelet.closeAllConnections();
});

function open(path: string, protocols: string[], headers: Record<string, string> = authorization()): WebSocket {
  return new WebSocket(`${cluster.url.replace("https:", "wss:")}${path}`, protocols, { ca: cluster.ca, headers });
}

const authorization = (): Record<string, string> => ({ authorization: `Bearer ${cluster.token}` });

interface Upgraded {
  head: string;
  socket: Duplex;
}

/** An upgrade request byte by byte; resolves with the answer's head (and its body, when it has one). */
async function upgrade(method: string, path: string, headers: Record<string, string>): Promise<Upgraded> {
  const { port } = new URL(cluster.url);
  const socket = connectTls({ host: "127.0.0.1", port: Number(port), ca: cluster.ca });
  const all = { host: "x", connection: "Upgrade", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  let head = "";
  while (!head.includes("\r\n\r\n")) head += String((await once(socket, "data"))[0]);
  return { head, socket };
}

const podPath = (pod: string, rest: string): string => `/api/v1/namespaces/default/pods/${pod}/${rest}`;

describe("a watch over a WebSocket", () => {
  const path = "/api/v1/namespaces/default/configmaps?watch=true";

  it("brings each event as a text message, with any subprotocol and with none", async () => {
    for (const protocols of [[], ["base64.binary.k8s.io"], ["v1.json", "binary.k8s.io"]]) {
      const socket = open(path, protocols);
      await once(socket, "open");
      assert.equal(socket.protocol, protocols[0] ?? "");
      const name = `watched-${protocols.length}`;
      const messages: { type: string; object: KubeObject }[] = [];
      const seen = new Promise<void>((resolve) =>
        socket.on("message", (data, isBinary) => {
          assert.equal(isBinary, false);
          const event = JSON.parse((data as Buffer).toString()) as (typeof messages)[0];
          messages.push(event);
          if (event.object.metadata.name === name) resolve();
        }),
      );
      await client.create(configMaps, {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name, namespace: "default" },
      });
      await seen;
      assert.equal(messages.at(-1)?.type, "ADDED");
      await client.delete(configMaps, name, "default");
      socket.close();
      await once(socket, "close");
    }
  });

  it("takes a browser's token from the subprotocols, and shows it to nobody", async () => {
    const token = Buffer.from(cluster.token).toString("base64url");
    const bearer = `base64url.bearer.authorization.k8s.io.${token}`;
    const socket = open(path, [bearer, "base64.binary.k8s.io"], {});
    await once(socket, "open");
    assert.equal(socket.protocol, "base64.binary.k8s.io");
    socket.terminate();
    for (const wrong of ["bm9uZQ", "a b", `${token}x`]) {
      const headers = { upgrade: "websocket", "sec-websocket-protocol": bearer.replace(token, wrong) };
      assert.match((await upgrade("GET", path, headers)).head, /^HTTP\/1.1 401 /, wrong);
    }
  });

  it("says what is wrong as any request does, and ends with the server's end of the watch", async () => {
    const headers = { ...authorization(), upgrade: "websocket" };
    const nothing = await upgrade("GET", "/api/v1/nothing?watch=true", headers);
    assert.match(nothing.head, /^HTTP\/1.1 404 [^]*"kind":"Status"/);
    const noKey = await upgrade("GET", path, headers);
    assert.match(noKey.head, /^HTTP\/1.1 400 /);
    const socket = open(`${path}&timeoutSeconds=1`, []);
    const [code] = (await once(socket, "close")) as [number];
    assert.equal(code, 1000);
  });

  it("other offers of an upgrade are not taken up", async () => {
    const plain = await upgrade("GET", "/version", { ...authorization(), upgrade: "h2c" });
    assert.match(plain.head, /^HTTP\/1.1 200 /);
    const notStreamed = await upgrade("GET", "/version", { ...authorization(), upgrade: "websocket" });
    assert.match(notStreamed.head, /^HTTP\/1.1 200 [^]*connection: close/i);
    for (const { socket } of [plain, notStreamed]) socket.destroy();
  });
});

describe("a log over a WebSocket", () => {
  it("comes as bytes or as base64", async () => {
    for (const [protocol, shown] of [
      ["", "first\nsecond\n"],
      ["binary.k8s.io", "first\nsecond\n"],
      ["base64.binary.k8s.io", Buffer.from("first\nsecond\n").toString("base64")],
    ]) {
      const socket = open(podPath("bound", "log"), protocol ? [protocol] : []);
      let text = "";
      socket.on("message", (data) => (text += (data as Buffer).toString()));
      const [code] = (await once(socket, "close")) as [number];
      assert.deepEqual([code, text], [1000, shown], protocol);
    }
  });
});

describe("the way into a pod", () => {
  const spdy = { upgrade: "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io" };

  it("is the kubelet's connection, head and bytes, without the caller's credentials", async () => {
    const query = "stdin=true&stdout=true&stderr=false&tty=true&command=cat&command=a%20b&container=a";
    const { head, socket } = await upgrade("POST", podPath("bound", `exec?${query}`), { ...authorization(), ...spdy });
    assert.match(
      head,
      /^HTTP\/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY\/3.1\r\nX-Chosen: one\r\n/,
    );
    socket.write("ping");
    assert.equal(String((await once(socket, "data"))[0]), "ping");
    const kubeletRequest = asked.at(-1);
    assert.equal(kubeletRequest?.method, "POST");
    assert.equal(kubeletRequest?.url, "/exec/default/bound/a?input=1&output=1&tty=1&command=cat&command=a+b");
    assert.equal(kubeletRequest?.headers["x-stream-protocol-version"], "v4.channel.k8s.io");
    assert.equal(kubeletRequest?.headers.authorization, undefined);
    socket.destroy();
    await Promise.all([...held].map((stream) => once(stream, "close")));
  });

  it("ends on this side when it ends on the other", async () => {
    const { socket } = await upgrade("GET", podPath("bound", "portforward?ports=80"), { ...authorization(), ...spdy });
    assert.equal(asked.at(-1)?.url, "/portForward/default/bound?ports=80");
    for (const stream of held) stream.destroy();
    socket.on("error", () => {});
    await once(socket, "close");
  });

  it("is refused in Kubernetes' words when there is none", async () => {
    const cases: [string, RegExp][] = [
      [podPath("nobody", "exec?command=x"), /^HTTP\/1.1 404 [^]*pods \\"nobody\\" not found/],
      [podPath("unbound", "exec?command=x"), /^HTTP\/1.1 400 [^]*pod unbound does not have a host assigned/],
      [podPath("many", "exec?command=x"), /^HTTP\/1.1 400 [^]*a container name must be specified for pod many/],
      [podPath("bound", "exec?command=x&container=z"), /^HTTP\/1.1 400 [^]*container z is not valid for pod bound/],
      [podPath("refused", "attach"), /^HTTP\/1.1 404 [^]*no such c/],
    ];
    for (const [path, pattern] of cases) {
      const { head, socket } = await upgrade("GET", path, { ...authorization(), ...spdy });
      assert.match(head, pattern, path);
      socket.destroy();
    }
    await assert.rejects(
      client.json({ method: "POST", path: podPath("bound", "exec?command=x") }),
      /Upgrade request required/,
    );
  });

  it("asks for create when posted and for get when not, on the subresource itself", async () => {
    const role = (name: string, resources: string[], verbs: string[]) => ({
      rules: [{ apiGroups: [""], resources, verbs }],
      name,
    });
    for (const { name, rules } of [
      role("getter", ["pods/exec"], ["get"]),
      role("creator", ["pods/exec"], ["create"]),
      role("owner", ["pods"], ["*"]),
    ]) {
      const apiVersion = "rbac.authorization.k8s.io/v1";
      const body = { apiVersion, kind: "ClusterRole", metadata: { name }, rules };
      await client.json({ method: "POST", path: `/apis/${apiVersion}/clusterroles`, body: JSON.stringify(body) });
      const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name };
      const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name }];
      const binding = { apiVersion, kind: "ClusterRoleBinding", metadata: { name }, roleRef, subjects };
      await client.json({
        method: "POST",
        path: `/apis/${apiVersion}/clusterrolebindings`,
        body: JSON.stringify(binding),
      });
    }
    const cases: [string, string, string, number][] = [
      ["getter", "GET", "exec?command=x", 101],
      ["getter", "POST", "exec?command=x", 403],
      ["creator", "POST", "exec?command=x", 101],
      ["creator", "GET", "exec?command=x", 403],
      ["creator", "POST", "attach", 403],
      ["creator", "POST", "portforward", 403],
      ["owner", "POST", "exec?command=x", 403],
      ["owner", "GET", "portforward", 403],
    ];
    for (const [user, method, rest, code] of cases) {
      const headers = { ...authorization(), ...spdy, "impersonate-user": user };
      const { head, socket } = await upgrade(method, podPath("bound", rest), headers);
      assert.match(head, new RegExp(`^HTTP/1.1 ${code} `), `${user} ${method} ${rest}`);
      socket.destroy();
    }
    const stranger = await upgrade("GET", podPath("bound", "exec?command=x"), spdy);
    assert.match(stranger.head, /^HTTP\/1.1 401 /);
  });
});

it("a server that closes ends watches and streams", async () => {
  const own = await startTestServer({ tls: true, nodeProxy });
  const url = `${own.url.replace("https:", "wss:")}/api/v1/pods?watch=true`;
  const socket = new WebSocket(url, { ca: own.ca, headers: { authorization: `Bearer ${own.token}` } });
  socket.on("error", () => {});
  await once(socket, "open");
  await Promise.all([own.close(), once(socket, "close")]);
});
