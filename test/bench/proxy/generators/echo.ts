// WebSocket clients: each sends a message of 100 bytes and waits for it to come back, again and again.

import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { Latencies } from "./latencies.ts";

export interface EchoSettings {
  addresses: string[];
  port: number;
  connections: number;
  seconds: number;
}

const text = "0123456789".repeat(10);

/** A masked text frame (RFC 6455, section 5.2). */
function messageFrame(): Buffer {
  const mask = randomBytes(4);
  const payload = Buffer.from(text).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length]), mask, payload]);
}

/** What comes back: the same, not masked. */
const answer = Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);

export async function echo({ addresses, port, connections, seconds }: EchoSettings): Promise<Latencies> {
  const latencies = new Latencies();
  const end = performance.now() + seconds * 1000;
  const clients = Array.from({ length: connections }, (_, index) =>
    client(addresses[index % addresses.length] ?? "", port, end, latencies),
  );
  await Promise.all(clients);
  return latencies;
}

/** One connection, until `end`. */
function client(host: string, port: number, end: number, latencies: Latencies): Promise<void> {
  return new Promise((resolve) => {
    const frame = messageFrame();
    let received = Buffer.alloc(0);
    let open = false;
    let sent = 0;
    const socket = connect({ host, port, noDelay: true }, () => socket.write(upgrade(host)));
    const send = (): void => {
      sent = performance.now();
      socket.write(frame);
    };
    socket.on("data", (bytes) => {
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
      if (!open) {
        const head = received.indexOf("\r\n\r\n");
        if (head < 0) return;
        open = received.subarray(0, head).toString().startsWith("HTTP/1.1 101 ");
        if (!open) return void socket.destroy(new Error("no upgrade"));
        received = received.subarray(head + 4);
        return send();
      }
      if (received.length < answer.length) return;
      if (!received.equals(answer)) return void socket.destroy(new Error("not what was sent"));
      received = Buffer.alloc(0);
      latencies.add(performance.now() - sent);
      if (performance.now() < end) send();
      else socket.destroy();
    });
    socket.on("error", () => latencies.errors++);
    socket.on("close", () => resolve());
  });
}

const upgrade = (host: string): string =>
  [
    "GET /echo HTTP/1.1",
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    "\r\n",
  ].join("\r\n");
