// The kubelet's streaming by raw sockets: every subprotocol, broken WebSocket frames, and what is refused before there is a stream.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import { pods } from "@gatehouse/apimachinery/types/core-v1";
import { type Cluster, isReady, startCluster, testNamespace } from "./harness.ts";

let cluster: Cluster;
const token = "kubelet-token";

before(async () => {
  cluster = await startCluster();
  const ports = [{ containerPort: 80 }];
  await cluster.createPod("web", { containers: [{ name: "main", image: "traefik/whoami:v1.11", ports }] });
  await cluster.until(pods, "web", isReady);
});
after(() => cluster.close());

function open(path: string, protocols: string[]): WebSocket {
  const { nodeIP, port } = cluster.kubelet;
  const headers = { authorization: `Bearer ${token}` };
  // The certificate is another test's concern (the API server checks it).
  return new WebSocket(`wss://${nodeIP}:${port}${path}`, protocols, { headers, rejectUnauthorized: false });
}

interface Raw {
  socket: TLSSocket;
  head: string;
  /** What came after the head, so far. */
  rest(): Buffer;
}

/** Sends a request as it is; resolves when its answer's head is there. */
async function raw(method: string, path: string, headers: Record<string, string>, bearer = token): Promise<Raw> {
  const { nodeIP: host, port } = cluster.kubelet;
  const socket = connectTls({ host, port, rejectUnauthorized: false });
  const all = { host, authorization: `Bearer ${bearer}`, connection: "Upgrade", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  let received = Buffer.alloc(0);
  socket.on("error", () => {});
  const head = new Promise<number>((resolve) =>
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf("\r\n\r\n");
      if (end >= 0) resolve(end + 4);
    }),
  );
  const end = await head;
  return { socket, head: received.toString("latin1", 0, end), rest: () => received.subarray(end) };
}

const webSocketHeaders = (protocol?: string): Record<string, string> => ({
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": randomBytes(16).toString("base64"),
  ...(protocol ? { "sec-websocket-protocol": protocol } : {}),
});

const execPath = (command: string[], streams = "output=1&error=1"): string =>
  `/exec/${testNamespace}/web/main?${streams}&${command.map((word) => `command=${encodeURIComponent(word)}`).join("&")}`;

/** Everything a WebSocket says until it closes, by channel. */
async function channelsOf(socket: WebSocket): Promise<Map<number, string>> {
  const channels = new Map<number, string>();
  const base64 = (): boolean => socket.protocol.includes("base64");
  socket.on("message", (data, isBinary) => {
    assert.equal(isBinary, !base64());
    const bytes = data as Buffer;
    const channel = (bytes[0] ?? 0) - (base64() ? 0x30 : 0);
    const text = base64() ? Buffer.from(bytes.toString("latin1", 1), "base64") : bytes.subarray(1);
    channels.set(channel, (channels.get(channel) ?? "") + text.toString());
  });
  const [code] = (await once(socket, "close")) as [number];
  assert.equal(code, 1000);
  return channels;
}

const success = '{"metadata":{},"status":"Success"}';

describe("exec over WebSocket channels", () => {
  it("speaks every subprotocol, and none", async () => {
    for (const protocol of [
      "v5.channel.k8s.io",
      "v4.channel.k8s.io",
      "v4.base64.channel.k8s.io",
      "channel.k8s.io",
      "base64.channel.k8s.io",
      "",
    ]) {
      const channels = await channelsOf(open(execPath(["echo", "hello"]), protocol ? [protocol] : []));
      assert.equal(channels.get(1), "hello\n", protocol);
      assert.equal(channels.get(3), /^v[45]/.test(protocol) ? success : undefined, protocol);
    }
  });

  it("tells a failure as a Status since v4, before in words", async () => {
    const status = JSON.parse(
      (await channelsOf(open(execPath(["false"]), ["v4.channel.k8s.io"]))).get(3) ?? "",
    ) as object;
    assert.deepEqual(status, {
      metadata: {},
      status: "Failure",
      message: "command terminated with non-zero exit code: exit status 1",
      reason: "NonZeroExitCode",
      details: { causes: [{ reason: "ExitCode", message: "1" }] },
    });
    const words = (await channelsOf(open(execPath(["false"]), ["channel.k8s.io"]))).get(3);
    assert.equal(words, "command terminated with non-zero exit code: exit status 1");
  });

  it("v5 ends standard input by a message; what is sent on other channels is dropped", async () => {
    const socket = open(execPath(["cat"], "input=1&output=1"), ["v5.channel.k8s.io"]);
    socket.on("open", () => {
      socket.send(Buffer.from('\x04{"Width":80,"Height":24}'));
      socket.send(Buffer.from("\x07unknown"));
      socket.send(Buffer.from("\x00first "));
      socket.send(Buffer.from("\x00"));
      socket.send(Buffer.from("\x00second"));
      socket.send(Buffer.from([255, 0]));
    });
    assert.equal((await channelsOf(socket)).get(1), "first second");
  });

  it("base64 goes both ways; text that is none ends the connection", async () => {
    const socket = open(execPath(["head", "-n", "1"], "input=1&output=1"), ["base64.channel.k8s.io"]);
    socket.on("open", () => socket.send(`0${Buffer.from("line\n").toString("base64")}`));
    assert.equal((await channelsOf(socket)).get(1), "line\n");
    for (const message of ["0a b", Buffer.from("0YQ==")]) {
      const broken = open(execPath(["cat"], "input=1&output=1"), ["base64.channel.k8s.io"]);
      broken.on("open", () => broken.send(message));
      assert.equal((await once(broken, "close"))[0], 1003);
    }
  });
});

describe("a terminal", () => {
  it("has its lines echoed, ended for a raw screen, and both outputs in one", async () => {
    const socket = open(execPath(["sh"], "input=1&output=1&error=1&tty=1"), ["v5.channel.k8s.io"]);
    socket.on("open", () => socket.send(Buffer.from("\x00echo hx\x7fi\rcat nope\rexit 4\r")));
    const channels = await channelsOf(socket);
    const screen = channels.get(1) ?? "";
    assert.ok(screen.includes("echo hx\b \bi\r\n"), screen);
    assert.match(screen, /\/ \$ hi\r\n/);
    assert.match(screen, /cat: nope: No such file or directory\r\n/);
    assert.equal(channels.get(2), undefined);
    assert.match(channels.get(3) ?? "", /"reason":"ExitCode","message":"4"/);
  });

  it("Ctrl-C ends the command", async () => {
    const socket = open(execPath(["sh"], "input=1&output=1&tty=1"), ["v5.channel.k8s.io"]);
    // Once the prompt is there, the program can be interrupted.
    socket.on("message", (data) => {
      if (String(data).includes("$ ")) socket.send(Buffer.from("\x00\x03"));
    });
    assert.match((await channelsOf(socket)).get(3) ?? "", /"message":"130"/);
  });
});

describe("attach", () => {
  it("brings input to a container that says stdin: true, and to no other", async () => {
    const containers = [{ name: "main", image: "traefik/whoami:v1.11", stdin: true }];
    await cluster.createPod("listening", { containers });
    await cluster.until(pods, "listening", isReady);
    const socket = open(`/attach/${testNamespace}/listening/main?input=1&output=1`, ["v4.channel.k8s.io"]);
    await once(socket, "open");
    socket.send(Buffer.from("\x00typed"));
    socket.close();
    await once(socket, "close");
    const refused = await raw("GET", `/attach/${testNamespace}/web/main?input=1&output=1`, webSocketHeaders());
    assert.match(refused.head, /^HTTP\/1.1 400 /);
  });
});

/** A client's frame: masked, unless told otherwise. */
function frame(first: number, payload: Buffer | string, { masked = true, length = -1 } = {}): Buffer {
  const bytes = Buffer.from(payload);
  const size = length < 0 ? bytes.length : length;
  const head = size < 126 ? Buffer.from([first, size]) : Buffer.alloc(10);
  if (size >= 126) {
    head.set([first, 127]);
    head.writeBigUInt64BE(BigInt(size), 2);
  }
  head.writeUInt8((head[1] ?? 0) | (masked ? 0x80 : 0), 1);
  const mask = Buffer.from([1, 2, 3, 4]);
  const body = masked ? bytes.map((byte, at) => byte ^ (mask[at % 4] ?? 0)) : bytes;
  return Buffer.concat([head, ...(masked ? [mask] : []), body]);
}

/** The code of the first close frame among a server's frames; frames before it are skipped. */
function closeCode(bytes: Buffer): number | undefined {
  for (let at = 0; at + 1 < bytes.length;) {
    const size = (bytes[at + 1] ?? 0) & 0x7f;
    if (((bytes[at] ?? 0) & 0x0f) === 8) return bytes.readUInt16BE(at + 2);
    at += 2 + size;
  }
  return undefined;
}

describe("WebSocket frames (RFC 6455)", () => {
  const cases: [string, Buffer, number][] = [
    ["not masked (5.1)", frame(0x82, "\x00x", { masked: false }), 1002],
    ["a reserved bit (5.2)", frame(0xc2, "\x00x"), 1002],
    ["an unknown opcode (5.2)", frame(0x83, "x"), 1002],
    ["a fragmented control frame (5.5)", frame(0x09, "x"), 1002],
    ["a control frame above 125 bytes (5.5)", frame(0x89, "x".repeat(126)), 1002],
    ["a continuation of nothing (5.4)", frame(0x80, "x"), 1002],
    ["a new message within a fragmented one (5.4)", Buffer.concat([frame(0x02, "\x00x"), frame(0x82, "x")]), 1002],
    ["a message above 16 MiB (7.4.1)", frame(0x82, "", { length: 17 * 1024 * 1024 }), 1009],
    ["a length beyond 2^53", frame(0x82, "", { length: 2 ** 60 }), 1009],
    ["text where bytes belong", frame(0x81, "\x00x"), 1003],
    ["text that is no UTF-8 (8.1)", frame(0x81, Buffer.from([0xff])), 1007],
    ["a close code that may not be sent (7.4)", frame(0x88, Buffer.from([0x03, 0xee])), 1002],
    ["a close frame of one byte (5.5.1)", frame(0x88, "x"), 1002],
    ["an ordinary close (5.5.1)", frame(0x88, Buffer.from([0x03, 0xe8])), 1000],
  ];
  for (const [name, bytes, code] of cases) {
    it(`${name}: ${code}`, async () => {
      const path = execPath(["cat"], "input=1&output=1");
      const connection = await raw("GET", path, webSocketHeaders("v4.channel.k8s.io"));
      assert.match(connection.head, /^HTTP\/1.1 101 /);
      connection.socket.write(bytes);
      while (closeCode(connection.rest()) === undefined) await once(connection.socket, "data");
      assert.equal(closeCode(connection.rest()), code);
      connection.socket.destroy();
    });
  }

  it("fragments make one message, with control frames between them, however they are cut", async () => {
    const path = execPath(["cat"], "input=1&output=1");
    const connection = await raw("GET", path, webSocketHeaders("v5.channel.k8s.io"));
    const bytes = Buffer.concat([
      frame(0x02, "\x00one "),
      frame(0x89, "are you there"),
      frame(0x80, "message"),
      frame(0x82, Buffer.from([255, 0])),
    ]);
    for (const byte of bytes) connection.socket.write(Buffer.from([byte]));
    while (!connection.rest().includes(success)) await once(connection.socket, "data");
    connection.socket.destroy();
    const text = connection.rest().toString("latin1");
    assert.ok(text.includes("\x8a\x0dare you there"), text);
    assert.ok(text.includes("\x01one message"), text);
  });
});

describe("before there is a stream", () => {
  it("what cannot be is refused in one line", async () => {
    const ws = webSocketHeaders();
    const spdy = { upgrade: "SPDY/3.1" };
    const cases: [string, string, Record<string, string>, RegExp][] = [
      ["GET", "/exec/demo/web/main", ws, /^HTTP\/1.1 400 [^]*you must specify at least 1 of stdin, stdout, stderr$/],
      ["GET", "/exec/demo/web/main?output=1", ws, /^HTTP\/1.1 400 [^]*you must specify a command$/],
      ["GET", "/exec/demo/web/other?output=1&command=x", ws, /^HTTP\/1.1 404 [^]*container not found \("other"\)$/],
      ["GET", "/exec/demo/nobody/main?output=1&command=x", ws, /^HTTP\/1.1 404 [^]*pod "nobody" does not exist$/],
      ["GET", "/attach/demo/web/main?input=1", ws, /^HTTP\/1.1 400 [^]*its spec does not say stdin: true$/],
      ["GET", "/portForward/demo/web", ws, /^HTTP\/1.1 400 [^]*"ports" is required$/],
      ["GET", "/portForward/demo/web?ports=80,99999", ws, /^HTTP\/1.1 400 [^]*invalid port "99999"/],
      ["GET", "/portForward/demo/web/main?ports=80", ws, /^HTTP\/1.1 404 /],
      ["GET", "/run/demo/web/main", ws, /^HTTP\/1.1 404 /],
      [
        "GET",
        execPath(["ls"]),
        webSocketHeaders("v9.channel.k8s.io"),
        /^HTTP\/1.1 400 [^]*none of the offered subprotocols/,
      ],
      [
        "POST",
        execPath(["ls"]),
        { ...spdy, "x-stream-protocol-version": "v9.channel.k8s.io" },
        /^HTTP\/1.1 403 [^]*unable to negotiate protocol/,
      ],
      [
        "POST",
        "/portForward/demo/web",
        { ...spdy, "x-stream-protocol-version": "v4.channel.k8s.io" },
        /^HTTP\/1.1 403 /,
      ],
      ["GET", execPath(["ls"]), { upgrade: "websocket" }, /^HTTP\/1.1 400 /],
      ["GET", execPath(["ls"]), { ...ws, "sec-websocket-version": "12" }, /^HTTP\/1.1 4(?:00|26) /],
    ];
    for (const [method, path, headers, pattern] of cases) {
      const connection = await raw(method, path, headers);
      await once(connection.socket, "end");
      connection.socket.destroy();
      assert.match(connection.head + connection.rest().toString(), pattern, path);
    }
    const stranger = await raw("GET", execPath(["ls"]), ws, "guess");
    assert.match(stranger.head, /^HTTP\/1.1 401 /);
  });
});

describe("port-forward over WebSocket channels", () => {
  it("finds a port that the kubelet opened elsewhere", async () => {
    const first = await cluster.createPod("first", {});
    const before = await cluster.until(pods, first.metadata.name, isReady);
    const next = (before?.status?.podIP ?? "").replace(/\d+$/, (last) => String(Number(last) + 1));
    // Somebody else has it on the address that the next pod gets.
    const holder = createServer((socket) => socket.end("not the pod"));
    await new Promise<void>((resolve) => holder.listen(8090, next, resolve));
    const ports = [{ containerPort: 8090 }];
    const args = ["--port", "8090"];
    await cluster.createPod("moved", { containers: [{ name: "main", image: "traefik/whoami:v1.11", args, ports }] });
    const pod = await cluster.until(pods, "moved", isReady);
    assert.equal(pod?.status?.podIP, next);
    assert.match(pod?.metadata.annotations?.["gatehouse.dev/port-map"] ?? "", /8090/);
    const socket = open(`/portForward/${testNamespace}/moved?ports=8090`, ["v4.channel.k8s.io"]);
    await once(socket, "open");
    socket.send(Buffer.from("\x00GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    let answer = "";
    while (!answer.includes("Hostname: moved")) answer += String((await once(socket, "message"))[0]);
    socket.close();
    await once(socket, "close");
    holder.close();
  });

  it("two channels per port: the port's number first, then bytes, or what went wrong", async () => {
    const socket = open(`/portForward/${testNamespace}/web?ports=80&ports=9`, ["v4.channel.k8s.io"]);
    const channels = new Map<number, Buffer>();
    const complete = new Promise<void>((resolve) =>
      socket.on("message", (data) => {
        const bytes = data as Buffer;
        const [channel = 0] = bytes;
        channels.set(channel, Buffer.concat([channels.get(channel) ?? Buffer.alloc(0), bytes.subarray(1)]));
        if (channels.get(0)?.includes("Hostname: web") && channels.get(3)?.includes("refused")) resolve();
      }),
    );
    await once(socket, "open");
    socket.send(Buffer.from("\x00GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    await complete;
    for (const [channel, port] of [80, 80, 9, 9].entries()) assert.equal(channels.get(channel)?.readUInt16LE(0), port);
    assert.match(String(channels.get(3)?.subarray(2)), /^error forwarding port 9 to pod web, .*connection refused$/);
    socket.close();
    await once(socket, "close");
  });
});

it("a kubelet that stops ends its streams", async () => {
  const own = await startCluster();
  await own.createPod("web", {});
  await own.until(pods, "web", isReady);
  const { nodeIP, port } = own.kubelet;
  const headers = { authorization: `Bearer ${token}` };
  const sockets = ["/portForward/demo/web?ports=80", execPath(["sleep", "600"]), "/attach/demo/web/main?output=1"].map(
    (path) => new WebSocket(`wss://${nodeIP}:${port}${path}`, { headers, rejectUnauthorized: false }),
  );
  for (const socket of sockets) socket.on("error", () => {});
  await Promise.all(sockets.map((socket) => once(socket, "open")));
  const closed = sockets.map((socket) => once(socket, "close"));
  await Promise.all([own.close(), ...closed]);
});
