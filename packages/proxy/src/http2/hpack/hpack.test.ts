// HPACK as RFC 7541 has it, its own examples among them, and beside what node:http2 says.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HpackDecoder } from "./decoder.ts";
import { encodeFieldLines, encodeStatus } from "./encoder.ts";
import { decodeHuffman, encodeHuffman, huffmanLength } from "./huffman.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const decode = (decoder: HpackDecoder, block: Buffer, most = 65_536): string[] | null =>
  decoder.decode(block, 0, block.length, most);

describe("Huffman coding", () => {
  it("of every byte and back, as short as it says", () => {
    for (let byte = 0; byte < 256; byte++) {
      for (const text of [String.fromCharCode(byte), `a${String.fromCharCode(byte)}b`]) {
        const coded = Buffer.from(encodeHuffman(text), "latin1");
        assert.equal(decodeHuffman(coded, 0, coded.length), text);
        assert.equal(coded.length, huffmanLength(text));
      }
    }
  });

  it("of the examples of RFC 7541 appendix C", () => {
    for (const [hex, text] of [
      ["f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"],
      ["a8eb10649cbf", "no-cache"],
      ["d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"],
      ["", ""],
    ] as const) {
      assert.equal(decodeHuffman(bytes(hex), 0, hex.length / 2), text);
      assert.equal(Buffer.from(encodeHuffman(text), "latin1").toString("hex"), hex);
    }
  });

  it("refuses padding that is not the beginning of the end, is too long, and the end itself", () => {
    // "0" is 00000: three bits of padding follow.
    assert.equal(decodeHuffman(bytes("07"), 0, 1), "0");
    for (const hex of ["00", "06", "07ff", "ff", "ffffffff", "fffffffc", "07fffffffc"])
      assert.equal(decodeHuffman(bytes(hex), 0, hex.length / 2), null, hex);
  });
});

describe("the decoder", () => {
  const first = ["GET", "http", "/", "www.example.com"].flatMap((value, index) => [
    [":method", ":scheme", ":path", ":authority"][index]!,
    value,
  ]);

  it("reads the requests of RFC 7541 appendix C.3 and C.4, one after the other", () => {
    for (const blocks of [
      [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
      ],
      [
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        "828684be5886a8eb10649cbf",
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
      ],
    ]) {
      const decoder = new HpackDecoder();
      assert.deepEqual(decode(decoder, bytes(blocks[0]!)), first);
      assert.deepEqual(decode(decoder, bytes(blocks[1]!)), [...first, "cache-control", "no-cache"]);
      const third = decode(decoder, bytes(blocks[2]!))!;
      assert.deepEqual(third.slice(-4), [":authority", "www.example.com", "custom-key", "custom-value"]);
    }
  });

  it("reads the responses of appendix C.5, whose table of 256 bytes evicts", () => {
    const decoder = new HpackDecoder();
    const date = (second: number): string => `Mon, 21 Oct 2013 20:13:2${second} GMT`;
    const blocks = [
      "3fe101 4803333032 5807707269766174 65611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54 6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
      "4803333037 c1c0bf",
      "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a6970" +
        "7738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
    ].map(bytes);
    assert.deepEqual(decode(decoder, blocks[0]!), [
      ":status",
      "302",
      "cache-control",
      "private",
      "date",
      date(1),
      "location",
      "https://www.example.com",
    ]);
    assert.deepEqual(decode(decoder, blocks[1]!)!.slice(0, 4), [":status", "307", "cache-control", "private"]);
    const third = decode(decoder, blocks[2]!)!;
    assert.deepEqual(third.slice(4, 6), ["date", date(2)]);
    assert.equal(third.at(-1), "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1");
    // Three entries are left: 62 to 64.
    assert.deepEqual(decode(decoder, bytes("c0")), ["date", date(2)]);
    assert.equal(decode(decoder, bytes("c1")), null);
  });

  const broken: [name: string, hex: string][] = [
    ["index 0", "80"],
    ["an index beyond the tables", "be"],
    ["a name beyond the tables", "7e0161"],
    ["an integer without an end", "ff8080808080"],
    ["an integer that is cut off", "ff"],
    ["an integer that is too large", "ffffffff7f"],
    ["a name that is cut off", "000561"],
    ["a literal without a value", "000161"],
    ["a value that is cut off", "0001610561"],
    ["a value whose length is cut off", "000161ff"],
    ["a value beyond any length", "000161ffffffff7f"],
    ["a broken Huffman code", "000161840000000000".slice(0, 16)],
    ["a size larger than allowed", "3fe21f"],
    ["a size behind a field", "8220"],
    ["a size that is cut off", "3f"],
  ];
  for (const [name, hex] of broken) {
    it(`refuses ${name}`, () => assert.equal(decode(new HpackDecoder(), bytes(hex)), null));
  }

  it("keeps to the size that the encoder sets, down to nothing and up again", () => {
    const decoder = new HpackDecoder();
    const entry = bytes("400161 0162");
    assert.deepEqual(decode(decoder, Buffer.concat([entry, bytes("be")])), ["a", "b", "a", "b"]);
    assert.equal(decode(decoder, bytes("20be")), null, "all is evicted");
    assert.deepEqual(decode(decoder, Buffer.concat([bytes("20"), entry])), ["a", "b"]);
    assert.equal(decode(decoder, bytes("be")), null, "nothing fits");
    assert.deepEqual(decode(decoder, Buffer.concat([bytes("203fe11f"), entry, bytes("be")])), ["a", "b", "a", "b"]);
  });

  it("empties its table for an entry that is larger", () => {
    const decoder = new HpackDecoder();
    decode(decoder, bytes("4001610162"));
    const large = Buffer.concat([bytes("400178 7fa11f"), Buffer.alloc(4128, "y")]);
    assert.equal(decode(decoder, large)![1]!.length, 4128);
    assert.equal(decode(decoder, bytes("be")), null);
  });

  it("holds as many entries as fit, and no more", () => {
    const decoder = new HpackDecoder();
    for (let each = 0; each < 1000; each++) {
      const block = Buffer.concat([bytes("400161 03"), Buffer.from(String(each).padStart(3, "0"))]);
      assert.deepEqual(decode(decoder, block), ["a", String(each).padStart(3, "0")]);
    }
    // 4096 / 36.
    const oldest = 61 + 113;
    assert.deepEqual(decode(decoder, bytes(`ff${(oldest - 127).toString(16)}`)), ["a", "887"]);
    assert.equal(decode(decoder, bytes(`ff${(oldest + 1 - 127).toString(16)}`)), null);
  });

  it("leaves out what goes beyond the longest list, and goes on", () => {
    const decoder = new HpackDecoder();
    assert.deepEqual(decode(decoder, bytes("4001610162 be be"), 70), ["a", "b", "a", "b"]);
    assert.equal(decoder.tooLong, true);
    assert.deepEqual(decode(decoder, bytes("be"), 34), ["a", "b"]);
    assert.equal(decoder.tooLong, false);
  });
});

describe("the encoder", () => {
  const roundTrip = (block: string): string[] => {
    const fields = decode(new HpackDecoder(), Buffer.from(block, "latin1"))!;
    return fields.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${fields[at + 1]!}`] : []));
  };

  it("says what the decoder reads", () => {
    const long = "x".repeat(5000);
    const lines = `Content-Type:  text/html \t\r\nX-\xe9: \xff\r\nSet-Cookie: a=b\r\nempty:\r\nLong: ${long}\r\n`;
    for (let again = 0; again < 2; again++) {
      assert.deepEqual(roundTrip(encodeStatus(200) + encodeFieldLines(lines)), [
        ":status: 200",
        "content-type: text/html",
        "x-\xe9: \xff",
        "set-cookie: a=b",
        "empty: ",
        `long: ${long}`,
      ]);
    }
    for (const status of [100, 204, 302, 404, 599])
      assert.deepEqual(roundTrip(encodeStatus(status)), [`:status: ${status}`]);
    assert.equal(encodeFieldLines(""), "");
  });

  it("lets nobody index a cookie, and asks nobody to remember anything", () => {
    assert.equal(encodeFieldLines("Set-Cookie: a=b\r\n").charCodeAt(0), 0x1f);
    assert.equal(encodeFieldLines("Server: nginx\r\n").charCodeAt(0), 0x0f);
    assert.equal(encodeStatus(404), "\x8d");
  });
});
