// What goes out when a client takes no more.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Transport } from "../io/transport.ts";
import { frameHead, FrameType, goawayFrame } from "./frames.ts";
import { Outbox } from "./outbox.ts";
import { StreamOutput } from "./stream-output.ts";

const pong = `${frameHead(8, FrameType.ping, 1, 0)}12345678`;

describe("frames for a client that takes no more now", () => {
  it("wait, and so does content; what is said last does not", () => {
    const written: string[] = [];
    const write = (text: string): void => void written.push(text);
    const outbox = new Outbox({ blocked: true, unsent: 1, write } as unknown as Transport);
    const output = new StreamOutput(1, 1000, { onOutputSent() {} });
    output.addText("content");
    outbox.list(output);
    outbox.addFrame(pong);
    outbox.send();
    assert.deepEqual(written, []);
    outbox.addFrame(goawayFrame(1, 1));
    outbox.sendLast();
    assert.deepEqual(written, [pong + goawayFrame(1, 1)]);
    assert.equal(output.waiting, 7);
    outbox.sendLast();
    assert.equal(written.length, 1, "nothing is left");
  });
});
