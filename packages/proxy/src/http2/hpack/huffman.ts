// The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B). The code is canonical: the lengths say it all.

import { latin1 } from "../../io/latin1.ts";

/** Bits of the code of each byte, and of the end-of-string symbol last. */
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];
const END_OF_STRING = 256;

interface Machine {
  /** By state and four bits of input: the next state, and what was found on the way. */
  steps: Int32Array;
  /** States in which a string may end: behind at most seven bits of the end-of-string symbol. */
  mayEnd: Uint8Array;
}

/** In a step: a byte was found, which stands above these bits. */
const FOUND = 0x200;
const FAILS = -1;

let codes: Uint32Array | null = null;
let machine: Machine | null = null;

function canonicalCodes(): Uint32Array {
  const result = new Uint32Array(LENGTHS.length);
  const order = LENGTHS.map((_, symbol) => symbol).toSorted((a, b) => LENGTHS[a]! - LENGTHS[b]! || a - b);
  let code = 0;
  let length = LENGTHS[order[0]!]!;
  for (const symbol of order) {
    code = code * 2 ** (LENGTHS[symbol]! - length);
    length = LENGTHS[symbol]!;
    result[symbol] = code++;
  }
  return result;
}

/** Children of each node of the code's tree: a node, or a symbol as ~symbol. Node 0 is the root. */
function tree(all: Uint32Array): Int32Array[] {
  const nodes = [new Int32Array(2)];
  for (const [symbol, length] of LENGTHS.entries()) {
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const side = (all[symbol]! >>> bit) & 1;
      if (nodes[node]![side] === 0) nodes[node]![side] = nodes.push(new Int32Array(2)) - 1;
      node = nodes[node]![side]!;
    }
    nodes[node]![all[symbol]! & 1] = ~symbol;
  }
  return nodes;
}

function buildMachine(): Machine {
  const nodes = tree((codes ??= canonicalCodes()));
  const steps = new Int32Array(nodes.length * 16);
  for (let state = 0; state < nodes.length; state++) {
    for (let input = 0; input < 16; input++) steps[state * 16 + input] = step(nodes, state, input);
  }
  const mayEnd = new Uint8Array(nodes.length);
  for (let node = 0, ones = 0; ones < 8; ones++) {
    mayEnd[node] = 1;
    node = nodes[node]![1]!;
  }
  return { steps, mayEnd };
}

/** Four bits: no code is so short that two could end within. */
function step(nodes: readonly Int32Array[], state: number, input: number): number {
  let node = state;
  let found = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = nodes[node]![(input >>> bit) & 1]!;
    if (next >= 0) {
      node = next;
      continue;
    }
    if (~next === END_OF_STRING) return FAILS;
    found = FOUND | (~next << 10);
    node = 0;
  }
  return node | found;
}

let scratch: Buffer = Buffer.allocUnsafeSlow(1024);

/** Text of the Huffman-coded bytes[start, end), Latin-1; null when they are not (RFC 7541 section 5.2: whatever is wrong is
 * an error of the connection). */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | null {
  const { steps, mayEnd } = (machine ??= buildMachine());
  // No code is shorter than five bits.
  const most = Math.ceil(((end - start) * 8) / 5);
  if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most * 2);
  const text = scratch;
  let length = 0;
  let state = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    let next = steps[state * 16 + (byte >>> 4)]!;
    if (next === FAILS) return null;
    if ((next & FOUND) !== 0) text[length++] = next >>> 10;
    next = steps[(next & 0x1ff) * 16 + (byte & 15)]!;
    if (next === FAILS) return null;
    if ((next & FOUND) !== 0) text[length++] = next >>> 10;
    state = next & 0x1ff;
  }
  return mayEnd[state] === 1 ? latin1(text, 0, length) : null;
}

/** Bytes that `text` takes when coded. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let at = 0; at < text.length; at++) bits += LENGTHS[text.charCodeAt(at) & 255]!;
  return Math.ceil(bits / 8);
}

/** Latin-1 text coded, as Latin-1 text of the bytes. */
export function encodeHuffman(text: string): string {
  const all = (codes ??= canonicalCodes());
  let out = "";
  let bits = 0;
  let held = 0;
  for (let at = 0; at < text.length; at++) {
    const symbol = text.charCodeAt(at) & 255;
    for (let bit = LENGTHS[symbol]! - 1; bit >= 0; bit--) {
      held = (held << 1) | ((all[symbol]! >>> bit) & 1);
      if (++bits < 8) continue;
      out += String.fromCharCode(held);
      held = bits = 0;
    }
  }
  // The rest is filled with the beginning of the end-of-string symbol: ones.
  return bits === 0 ? out : out + String.fromCharCode(((held + 1) << (8 - bits)) - 1);
}
