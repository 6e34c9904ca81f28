// A watch's client that does not read: what is held for it is bounded, and nothing is lost or reordered for one that is merely slow.

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { setWriteLimit } from "./write-limit.ts";
import { WatchResponse } from "./watch-response.ts";

const object = (name: string): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  filler: "x".repeat(1000),
});
let start: (sink: WatchResponse, response: ServerResponse) => void;
const server = createServer((_request, response) => {
  response.flushHeaders();
  start(new WatchResponse(response), response);
});
before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
after(() => server.close());

async function open(): Promise<IncomingMessage> {
  const { port } = server.address() as AddressInfo;
  const outgoing = request({ port, agent: false }).end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return response;
}

describe("a watch response", () => {
  it("brings everything to a slow client, in order, its end included", async () => {
    const count = 20_000;
    start = (sink) => {
      for (let index = 0; index < count; index++) sink.send("ADDED", object(String(index)));
      sink.started();
      sink.end();
    };
    const response = await open();
    const chunks: string[] = [];
    for await (const chunk of response.setEncoding("utf8")) chunks.push(chunk as string);
    const names = chunks
      .join("")
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { object: KubeObject }).object.metadata.name);
    assert.deepEqual(
      names,
      Array.from({ length: count }, (_, index) => String(index)),
    );
  });

  it("is cut when a client that does not read falls too far behind", async () => {
    const closed = new Promise<number>((resolve) => {
      start = (sink, answer) => {
        sink.started();
        let sent = 0;
        const feed = setInterval(() => {
          for (let index = 0; index < 1000; index++) sink.send("MODIFIED", object(String(sent++)));
        }, 1);
        answer.on("close", () => {
          clearInterval(feed);
          resolve(sent);
        });
      };
    });
    const response = await open();
    response.on("error", () => undefined);
    const sent = await closed;
    assert.ok(sent >= 10_000, `${sent} events were held before the cut`);
    response.destroy();
  });

  it("is cut the sooner the larger the objects are that wait", async () => {
    const large = { ...object("large"), filler: "x".repeat(1024 * 1024) };
    const closed = new Promise<number>((resolve) => {
      start = (sink, answer) => {
        sink.started();
        let sent = 0;
        const feed = setInterval(() => {
          sink.send("MODIFIED", large, undefined, 1024 * 1024);
          sent++;
        }, 1);
        answer.on("close", () => {
          clearInterval(feed);
          resolve(sent);
        });
      };
    });
    const response = await open();
    response.on("error", () => undefined);
    const sent = await closed;
    assert.ok(sent > 32 && sent < 200, `${sent} events were held before the cut`);
    response.destroy();
  });

  it("buffers little on a connection that may buffer much, and leaves it as it was", async () => {
    const limits: number[] = [];
    start = (_sink, answer) => {
      const { socket } = answer;
      assert.ok(socket);
      setWriteLimit(socket, 4 * 1024 * 1024);
      const sink = new WatchResponse(answer, undefined, socket);
      limits.push(socket.writableHighWaterMark);
      sink.started();
      sink.end();
      limits.push(socket.writableHighWaterMark);
    };
    (await open()).resume();
    assert.deepEqual(limits, [256 * 1024, 4 * 1024 * 1024]);
  });
});
