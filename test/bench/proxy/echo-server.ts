// The backend of the WebSocket row: sends every message back. A program; its argument is the port of 127.0.0.1.

import { createHash } from "node:crypto";
import { createServer, type Socket } from "node:net";

const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

createServer({ noDelay: true }, (socket) => {
  let received = Buffer.alloc(0);
  let open = false;
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes) => {
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
    if (!open) {
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) return;
      accept(socket, received.subarray(0, end).toString("latin1"));
      received = received.subarray(end + 4);
      open = true;
    }
    for (let length = echoFrame(socket, received); length > 0; length = echoFrame(socket, received))
      received = received.subarray(length);
  });
}).listen(Number(process.argv[2]), "127.0.0.1", 4096, () => process.stdout.write("listening\n"));

function accept(socket: Socket, head: string): void {
  const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? "";
  const proof = createHash("sha1")
    .update(key + magic)
    .digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      `Sec-WebSocket-Accept: ${proof}\r\n\r\n`,
  );
}

/** Answers the first frame, which is masked and below 126 bytes; returns its length, 0 while it is not complete. */
function echoFrame(socket: Socket, bytes: Buffer): number {
  const [start = 0, second = 0] = bytes;
  const payload = second & 0x7f;
  if (bytes.length < 6 + payload) return 0;
  const answer = Buffer.allocUnsafe(2 + payload);
  answer[0] = start;
  answer[1] = payload;
  for (let index = 0; index < payload; index++)
    answer[2 + index] = (bytes[6 + index] ?? 0) ^ (bytes[2 + (index % 4)] ?? 0);
  socket.write(answer);
  return 6 + payload;
}
