// What looks like abuse (abuse.test.ts) and is not: clients do it often, and keep their connections.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Flag, frame, FrameClient, FrameType, number32, requestFields } from "../testing/http2-frames.ts";
import type { Frame } from "../testing/http2-frames.ts";
import { ok, startBackend, until } from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";

const window = (stream: number, increment: number): Buffer =>
  frame(FrameType.windowUpdate, 0, stream, number32(increment));
const ends = ({ type, flags }: Frame): boolean => type === FrameType.data && (flags & Flag.endStream) !== 0;

describe("clients may send as often as they like", () => {
  it("window updates for the stream and the connection behind each of many small messages", async () => {
    const [streams, rounds] = [50, 50];
    const talking = await startBackend((socket) =>
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    );
    await withProxy([service("s", [talking.port])], async ({ port }) => {
      const client = new FrameClient(port).acknowledgeSettings();
      for (let stream = 1; stream < 2 * streams; stream += 2) client.request(stream);
      await until(() => talking.received.filter((each) => each !== "").length === streams);
      let seen = 0;
      for (let round = 1; round <= rounds; round++) {
        for (const socket of talking.sockets) socket.write("2\r\nhi\r\n");
        await client.frame(
          () => client.frames.filter(({ type }) => type === FrameType.data).length === round * streams,
        );
        const fresh = client.frames.slice(seen).filter(({ type }) => type === FrameType.data);
        seen = client.frames.length;
        client.send(...fresh.flatMap(({ stream }) => [window(stream, 2), window(0, 2)]));
      }
      client.send(frame(FrameType.ping, 0, 0, "12345678"));
      await client.frame(({ type }) => type === FrameType.ping, "answer to PING");
      client.destroy();
    });
    await talking.close();
  });

  it("resets of requests that took too long, when they let twice as many be answered", async () => {
    const backend = await startBackend((socket, received) => {
      if (!received.includes("/slow") && received.endsWith("\r\n\r\n")) socket.write(ok("served"));
    });
    await withProxy([service("s", [backend.port])], async ({ port, records }) => {
      const client = new FrameClient(port).acknowledgeSettings();
      for (let round = 0, stream = 1; round < 400; round++, stream += 6) {
        client
          .request(stream)
          .request(stream + 2)
          .request(stream + 4, requestFields([], "GET", "/slow"));
        await client.frame(() => client.frames.filter(ends).length === 2 * (round + 1));
        client.reset(stream + 4);
      }
      await until(() => records.length === 1200);
      assert.equal(records.filter(({ reason }) => reason === "client-reset-stream").length, 400);
      client.destroy();
    });
    await backend.close();
  });
});
