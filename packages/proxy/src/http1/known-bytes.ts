// What was read lately, found again by its bytes. Peers say the same from message to message: the same fields with every request,
// the same head with every answer. Comparing bytes costs a fraction of what reading them does, and nothing is taken for known
// that is not the same from its first byte to its last.

/** What is kept with the bytes that it was read from. */
export interface Known {
  readonly bytes: Uint8Array;
}

const SLOTS = 512;
/** Longer ones are not kept. */
const LONGEST = 4096;
/** A slot takes in what missed it so often in a row, with nothing else in between. To keep something costs more than to read it several
 * times: where many take turns at a slot, one has it and stays. */
const PATIENCE_WHEN_EMPTY = 2;
const PATIENCE = 8;
/** So many words of four bytes decide about the slot: what tells peers apart, as a cookie, is longer than what lies between them. */
const SAMPLES = 16;
/** Spreads them over 32 bits. */
const ODD = 0x9e3779b1;

const NO_WORDS = new Int32Array();

export class KnownBytes<T extends Known> {
  readonly #slots: (T | null)[] = Array.from({ length: SLOTS }, () => null);
  /** What is kept elsewhere in memory is only looked at when these are the same. */
  readonly #hashes: Int32Array = new Int32Array(SLOTS);
  readonly #words: Int32Array[] = Array.from({ length: SLOTS }, () => NO_WORDS);
  /** What missed last, when it came again a number for all of it, and how often that was in a row. */
  readonly #missed: Int32Array = new Int32Array(SLOTS);
  readonly #wholes: Int32Array = new Int32Array(SLOTS);
  readonly #misses: Uint8Array = new Uint8Array(SLOTS);

  /** What bytes[at, end) begin with, null when it is not known. `hash` is any 32-bit number made of the same bytes in the same way. */
  find(hash: number, bytes: Uint8Array, at: number, end: number): T | null {
    const slot = slotOf(hash);
    if (this.#hashes[slot] !== hash) return null;
    const known = this.#slots[slot]!;
    if (known === null || !beginsWith(bytes, at, end, known.bytes, this.#words[slot]!)) return null;
    this.#misses[slot] = 0;
    return known;
  }

  /** Whether to keep bytes[at, end), which were not found by `hash`. */
  wants(hash: number, bytes: Uint8Array, at: number, end: number): boolean {
    if (end - at > LONGEST) return false;
    const slot = slotOf(hash);
    if (this.#missed[slot] !== hash) {
      this.#missed[slot] = hash;
      this.#misses[slot] = 0;
    } else {
      // The number may be the same for many that differ elsewhere.
      const whole = hashOf(bytes, at, end, 4);
      if (this.#wholes[slot] !== whole) this.#misses[slot] = 1;
      this.#wholes[slot] = whole;
    }
    return ++this.#misses[slot]! >= (this.#slots[slot] === null ? PATIENCE_WHEN_EMPTY : PATIENCE);
  }

  /** In place of what fell on its slot before. */
  keep(hash: number, known: T): void {
    const slot = slotOf(hash);
    this.#slots[slot] = known;
    this.#hashes[slot] = hash;
    this.#misses[slot] = 0;
    this.#words[slot] = wordsOf(known.bytes);
  }
}

const slotOf = (hash: number): number => (hash ^ (hash >>> 11) ^ (hash >>> 22)) & (SLOTS - 1);

/** What was read last, mostly the one buffer that all connections read into, and words in its memory. */
let looked: Uint8Array = new Uint8Array();
let view: DataView = new DataView(looked.buffer);

/** Words at any place in the memory that `bytes` are in. */
function wordsIn(bytes: Uint8Array): DataView {
  if (looked !== bytes) {
    looked = bytes;
    if (view.buffer !== bytes.buffer) view = new DataView(bytes.buffer);
  }
  return view;
}

function beginsWith(bytes: Uint8Array, at: number, end: number, wanted: Uint8Array, words: Int32Array): boolean {
  const { length } = wanted;
  if (length > end - at) return false;
  const here = wordsIn(bytes);
  // Four bytes at a time, wherever they stand.
  for (let word = 0, from = bytes.byteOffset + at; word < words.length; word++, from += 4) {
    if (here.getInt32(from, true) !== words[word]) return false;
  }
  for (let index = words.length * 4; index < length; index++) if (bytes[at + index] !== wanted[index]) return false;
  return true;
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, length } = bytes;
  const from = new DataView(buffer, byteOffset);
  return Int32Array.from({ length: length >> 2 }, (_, word) => from.getInt32(word * 4, true));
}

/** A 32-bit number for bytes[at, end) made of some of them: what differs mostly differs there, too. */
export function sampleHash(bytes: Uint8Array, at: number, end: number): number {
  return hashOf(bytes, at, end, Math.max(4, ((end - at) / SAMPLES) | 0));
}

/** Of four bytes at each `step`. */
function hashOf(bytes: Uint8Array, at: number, end: number, step: number): number {
  const here = wordsIn(bytes);
  const last = bytes.byteOffset + end - 4;
  let hash = end - at;
  for (let from = bytes.byteOffset + at; from <= last; from += step)
    hash = Math.imul(hash ^ here.getInt32(from, true), ODD);
  return hash;
}
