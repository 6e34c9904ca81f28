// The streams of the search over sockets: through ours by each way of doing I/O, and beside and in front of the real proxies that
// this machine has. `npm run fuzz -- --peers --count N --seed S` searches on.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { BEST_IO } from "../io/network.ts";
import { REQUESTS } from "./corpus.ts";
import { readRequests } from "./our-reading.ts";
import type { ReadMessage } from "./our-reading.ts";
import {
  Arena,
  checkBesidePeers,
  foundOtherwise,
  framedDifferently,
  LAST,
  requestStreams,
  startOurs,
  withoutUpgrades,
} from "./peers-campaign.ts";
import { peerNames, readBy, startRecorder } from "./peers.ts";

/** As the recorder says it; what the proxy answers itself as `!`. */
function told({ start, body, forwarded }: ReadMessage): string {
  const bytes = Buffer.from(body, "latin1");
  const digest = createHash("sha1").update(bytes).digest("hex").slice(0, 12);
  return forwarded === "" ? "!" : `${start.slice(0, start.indexOf(" "))} ${bytes.length} ${digest}`;
}

const streams = [...REQUESTS.map(withoutUpgrades), ...requestStreams(300, 20_260_102)];

for (const io of BEST_IO === "sockets" ? (["sockets"] as const) : (["handles", "sockets"] as const)) {
  describe(`streams of requests over sockets (${io})`, () => {
    it("reach the server as the parsers alone read them", async (test) => {
      const recorder = await startRecorder();
      test.after(() => recorder.close());
      const ours = await startOurs(recorder.port, io);
      test.after(() => ours.close());
      const check = async (stream: string): Promise<void> => {
        const expected = readRequests(Buffer.from(stream + LAST, "latin1")).messages.map(told);
        const answers = await readBy(ours.port, stream + LAST);
        assert.ok(
          !framedDifferently(expected, answers) && answers.length >= expected.length,
          JSON.stringify({ stream, expected, answers }),
        );
      };
      await Promise.all(streams.map(check));
    });
  });
}

describe(
  "streams of requests beside other proxies",
  { skip: peerNames.length === 0 && "neither nginx nor haproxy nor caddy" },
  () => {
    it(`are framed as ${peerNames.join(", ")} frame them, or refused by one of them, and found by them behind ours`, async (test) => {
      const arena = await Arena.open(peerNames);
      test.after(() => arena.close());
      assert.deepEqual(await checkBesidePeers(arena, streams), []);
    });

    it("would be found framed differently", () => {
      assert.equal(framedDifferently(["POST 5 a", "GET 0 b"], ["POST 40 c"]), true);
      assert.equal(framedDifferently(["POST 5 a", "GET 0 b"], ["POST 5 a", "!400"]), false);
      assert.equal(framedDifferently(["POST 5 a", "GET 0 b"], ["POST 5 a"]), false);
      assert.equal(foundOtherwise(["POST 5 a", "GET 0 b"], ["POST 5 a"]), true);
      assert.equal(foundOtherwise(["POST 5 a", "GET 0 b"], ["!400", "GET 0 b"]), false);
    });
  },
);
