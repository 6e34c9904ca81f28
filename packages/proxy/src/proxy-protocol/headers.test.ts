import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ProxiedAddresses } from "../connection-facts.ts";
import type { Progress } from "../read-ahead.ts";
import { ProxyHeaderReader } from "./read-header.ts";
import { proxyHeader } from "./write-header.ts";

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

interface Outcome {
  progress: Progress;
  addresses: ProxiedAddresses | null;
  replay: string;
}

/** What comes of a header (Latin-1) in pieces of `size`. */
function readIn(header: string, size = header.length): Outcome {
  const bytes = Buffer.from(header, "latin1");
  const reader = new ProxyHeaderReader();
  let progress: Progress = "more";
  for (let at = 0; progress === "more" && at < bytes.length; at += size)
    progress = reader.push(bytes.subarray(at, at + size));
  return { progress, addresses: reader.addresses, replay: reader.replay.toString("latin1") };
}

const from = (sourceAddress: string, sourcePort: number, destinationAddress: string, destinationPort: number) => ({
  sourceAddress,
  sourcePort,
  destinationAddress,
  destinationPort,
});

const version2 = (command: number, kind: number, payload: string): string =>
  SIGNATURE + String.fromCharCode(0x20 | command, kind, payload.length >> 8, payload.length & 255) + payload;

const V4 = "\x01\x02\x03\x04\x05\x06\x07\x08\x04\xd2\x01\xbb";
const V6 = `\x20\x01\x0d\xb8${"\0".repeat(11)}\x01${"\0".repeat(15)}\x01\0\x01\0\x02`;

describe("a PROXY header", () => {
  it("of version 1 says who the client is, and leaves what follows", () => {
    const tcp4 = readIn("PROXY TCP4 1.2.3.4 5.6.7.8 1234 443\r\nGET /");
    assert.deepEqual(tcp4, { progress: "done", addresses: from("1.2.3.4", 1234, "5.6.7.8", 443), replay: "GET /" });
    const tcp6 = readIn("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n");
    assert.deepEqual(tcp6.addresses, from("2001:db8::1", 1, "::1", 65535));
    for (const unknown of ["PROXY UNKNOWN\r\nx", "PROXY UNKNOWN ffff:: ::1 1 2 anything\r\nx"])
      assert.deepEqual(readIn(unknown), { progress: "done", addresses: null, replay: "x" });
  });

  it("of version 2 says who the client is, and leaves what follows; TLVs are stepped over", () => {
    const tlv = "\x04\0\x03abc";
    assert.deepEqual(readIn(`${version2(1, 0x11, V4)}GET`), {
      progress: "done",
      addresses: from("1.2.3.4", 1234, "5.6.7.8", 443),
      replay: "GET",
    });
    assert.deepEqual(readIn(`${version2(1, 0x21, V6 + tlv)}GET`), {
      progress: "done",
      addresses: from("2001:db8::1", 1, "::1", 2),
      replay: "GET",
    });
    const mapped = `${"\0".repeat(10)}\xff\xff\x01\x02\x03\x04${"\0".repeat(16)}\0\x01\0\x02`;
    assert.deepEqual(readIn(version2(1, 0x21, mapped)).addresses, from("1.2.3.4", 1, "::", 2));
    for (const silent of [version2(0, 0, ""), version2(0, 0x11, V4), version2(0, 0x21, "x"), version2(1, 0, tlv)])
      assert.deepEqual(readIn(`${silent}x`), { progress: "done", addresses: null, replay: "x" });
    for (const foreign of [version2(1, 0x12, V4), version2(1, 0x31, "p".repeat(216))])
      assert.deepEqual(readIn(`${foreign}x`), { progress: "done", addresses: null, replay: "x" });
  });

  it("may come in any pieces", () => {
    const long = version2(1, 0x11, V4 + "t".repeat(60_000));
    const headers = ["PROXY TCP4 1.2.3.4 5.6.7.8 1234 443\r\n", version2(1, 0x11, V4), long];
    for (const header of headers) {
      for (const size of [1, 2, 5, 11, 1000]) {
        const { progress, addresses, replay } = readIn(`${header}rest`, size);
        assert.equal(progress, "done");
        assert.deepEqual(addresses, from("1.2.3.4", 1234, "5.6.7.8", 443));
        assert.ok("rest".startsWith(replay));
      }
      for (let cut = 1; cut < Math.min(header.length, 100); cut++) {
        assert.equal(readIn(header.slice(0, cut)).progress, "more", String(cut));
      }
    }
  });

  it("is refused when it is not to the letter", () => {
    const lines = [
      "GET / HTTP/1.1\r\n",
      "proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n",
      "PROXY TCP4 ::1 ::1 1 2\r\n",
      "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
      "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
      "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
      "PROXY UNKNOWNx\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n\n",
      "PROXY UNKNOWN \r x\r\n",
      `PROXY UNKNOWN ${"x".repeat(100)}\r\n`,
    ];
    const binary = [
      `${SIGNATURE.slice(0, 5)}x`,
      `${SIGNATURE}\x11\x11\0\x0c${V4}`,
      version2(2, 0x11, V4),
      version2(1, 0x41, V4),
      version2(1, 0x13, V4),
      version2(1, 0x11, V4.slice(1)),
      version2(1, 0x21, V4),
      version2(1, 0x31, V6),
    ];
    for (const header of [...lines, ...binary]) {
      assert.equal(readIn(header).progress, "refused", JSON.stringify(header));
      assert.equal(readIn(header, 1).progress, "refused", JSON.stringify(header));
    }
  });

  it("is written as it is read", () => {
    const cases = [
      from("1.2.3.4", 1234, "5.6.7.8", 443),
      from("2001:db8::1", 1, "::", 2),
      from("1:2:3:4:5:6:7:8", 1, "1:0:0:4::8", 2),
      from("1:0:3:0:5:0:7:0", 1, "fe80::", 2),
    ];
    for (const addresses of cases) {
      for (const version of [1, 2] as const) {
        assert.deepEqual(readIn(`${proxyHeader(version, addresses)}x`), { progress: "done", addresses, replay: "x" });
      }
    }
    assert.equal(proxyHeader(1, cases[0]!), "PROXY TCP4 1.2.3.4 5.6.7.8 1234 443\r\n");
    for (const version of [1, 2] as const) {
      assert.deepEqual(readIn(`${proxyHeader(version, null)}x`), { progress: "done", addresses: null, replay: "x" });
    }
    assert.equal(proxyHeader(2, null), version2(0, 0, ""));
    assert.equal(proxyHeader(2, cases[0]!), version2(1, 0x11, V4));
    assert.equal(proxyHeader(1, from("fe80::1%lo", 1, "fe80::2%lo", 2)), "PROXY TCP6 fe80::1 fe80::2 1 2\r\n");
    assert.deepEqual(
      readIn(proxyHeader(2, from("::ffff:1.2.3.4", 1, "::1", 2))).addresses,
      from("1.2.3.4", 1, "::1", 2),
    );
    for (const mixed of [from("1.2.3.4", 1, "::1", 2), from("", 0, "", 0)]) {
      for (const version of [1, 2] as const) {
        assert.deepEqual(readIn(`${proxyHeader(version, mixed)}x`), { progress: "done", addresses: null, replay: "x" });
      }
    }
  });
});
