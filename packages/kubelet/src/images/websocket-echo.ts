// A WebSocket server that sends back what it receives (RFC 6455), as whoami's /echo and echo-basic's /ws do.

import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const maxPayloadBytes = 16 * 1024 * 1024;
const opcodes = { close: 8, ping: 9, pong: 10 };

interface Frame {
  first: number;
  payload: Buffer;
  length: number;
}

/** Completes the handshake and echoes frames until the close frame. Answers 400 to what is no WebSocket handshake. */
export function echoWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  onMessage: (payload: Buffer) => void = () => {},
): void {
  socket.on("error", () => socket.destroy());
  const key = request.headers["sec-websocket-key"];
  if (request.method !== "GET" || request.headers.upgrade?.toLowerCase() !== "websocket" || !key) {
    socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  const accept = createHash("sha1")
    .update(key + acceptSuffix)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let pending = head;
  const consume = (chunk: Buffer): void => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (let frame = readFrame(pending); frame; frame = readFrame(pending)) {
      if (frame === "invalid") return void socket.end(closeFrame(1002));
      pending = pending.subarray(frame.length);
      if (!answer(frame, socket, onMessage)) return;
    }
  };
  socket.on("data", consume);
  if (head.length > 0) {
    pending = Buffer.alloc(0);
    consume(head);
  }
}

/** False after the closing handshake. */
function answer(frame: Frame, socket: Duplex, onMessage: (payload: Buffer) => void): boolean {
  const opcode = frame.first & 0x0f;
  if (opcode === opcodes.close) {
    socket.end(encodeFrame(0x80 | opcodes.close, frame.payload.subarray(0, 2)));
    return false;
  }
  if (opcode === opcodes.ping) socket.write(encodeFrame(0x80 | opcodes.pong, frame.payload));
  else if (opcode < opcodes.close) {
    onMessage(frame.payload);
    // Fragments are echoed as they come, with their FIN bit: the message that results is the same.
    socket.write(encodeFrame(frame.first, frame.payload));
  }
  return true;
}

/** The first frame of `data`, undefined while it is incomplete, `invalid` when it breaks section 5. */
function readFrame(data: Buffer): Frame | "invalid" | undefined {
  if (data.length < 2) return undefined;
  const first = data.readUInt8(0);
  const second = data.readUInt8(1);
  // Clients must mask (5.1); no extension gives the reserved bits a meaning (5.2).
  if ((second & 0x80) === 0 || (first & 0x70) !== 0) return "invalid";
  const short = second & 0x7f;
  const start = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
  if (data.length < start + 4) return undefined;
  const size = short === 126 ? data.readUInt16BE(2) : short === 127 ? Number(data.readBigUInt64BE(2)) : short;
  if (size > maxPayloadBytes) return "invalid";
  if (data.length < start + 4 + size) return undefined;
  const mask = data.subarray(start, start + 4);
  const payload = Buffer.from(data.subarray(start + 4, start + 4 + size));
  for (let at = 0; at < payload.length; at++) payload[at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return { first, payload, length: start + 4 + size };
}

function encodeFrame(first: number, payload: Buffer): Buffer {
  const size = payload.length;
  const head = Buffer.alloc(size < 126 ? 2 : size < 65_536 ? 4 : 10);
  head.writeUInt8(first, 0);
  head.writeUInt8(size < 126 ? size : size < 65_536 ? 126 : 127, 1);
  if (head.length === 4) head.writeUInt16BE(size, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(size), 2);
  return Buffer.concat([head, payload]);
}

function closeFrame(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code, 0);
  return encodeFrame(0x80 | opcodes.close, payload);
}
