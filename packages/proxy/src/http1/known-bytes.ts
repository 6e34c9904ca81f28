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
/** A slot takes in what missed it so often; of little use so far, it takes in less and less. */
const FIRST_PATIENCE = 2;
const MOST_PATIENCE = 128;
/** So many bytes decide about the slot. */
const SAMPLES = 16;

const NO_WORDS = new Int32Array();

export class KnownBytes<T extends Known> {
  readonly #slots: (T | null)[] = Array.from({ length: SLOTS }, () => null);
  readonly #words: Int32Array[] = Array.from({ length: SLOTS }, () => NO_WORDS);
  readonly #misses: Uint8Array = new Uint8Array(SLOTS);
  readonly #patience: Uint8Array = new Uint8Array(SLOTS).fill(FIRST_PATIENCE);

  /** What bytes[at, end) begin with, null when it is not known. `hash` is any number made of the same bytes in the same way. */
  find(hash: number, bytes: Uint8Array, at: number, end: number): T | null {
    const slot = slotOf(hash);
    const known = this.#slots[slot]!;
    if (known === null || !beginsWith(bytes, at, end, known.bytes, this.#words[slot]!)) return null;
    if (this.#patience[slot] !== FIRST_PATIENCE) this.#patience[slot] = FIRST_PATIENCE;
    this.#misses[slot] = 0;
    return known;
  }

  /** Whether to keep what was not found and is so many bytes long. */
  wants(hash: number, length: number): boolean {
    const slot = slotOf(hash);
    if (length > LONGEST || ++this.#misses[slot]! < this.#patience[slot]!) return false;
    this.#misses[slot] = 0;
    this.#patience[slot] = Math.min(MOST_PATIENCE, this.#patience[slot]! * 2);
    return true;
  }

  /** In place of what fell on its slot before. */
  keep(hash: number, known: T): void {
    const slot = slotOf(hash);
    this.#slots[slot] = known;
    this.#words[slot] = wordsOf(known.bytes);
  }
}

const slotOf = (hash: number): number => (hash ^ (hash >>> 13)) & (SLOTS - 1);

/** Of what was read last: mostly the one buffer that all connections read into. */
let view: DataView = new DataView(new ArrayBuffer());

function beginsWith(bytes: Uint8Array, at: number, end: number, wanted: Uint8Array, words: Int32Array): boolean {
  const { length } = wanted;
  if (length > end - at) return false;
  const { buffer, byteOffset } = bytes;
  if (view.buffer !== buffer) view = new DataView(buffer);
  // Four bytes at a time, wherever they stand.
  for (let word = 0, from = byteOffset + at; word < words.length; word++, from += 4) {
    if (view.getInt32(from, true) !== words[word]) return false;
  }
  for (let index = words.length * 4; index < length; index++) if (bytes[at + index] !== wanted[index]) return false;
  return true;
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, length } = bytes;
  const from = new DataView(buffer, byteOffset);
  return Int32Array.from({ length: length >> 2 }, (_, word) => from.getInt32(word * 4, true));
}

/** A number for bytes[at, end) made of some of them: what differs mostly differs there, too. */
export function sampleHash(bytes: Uint8Array, at: number, end: number): number {
  const step = Math.max(1, ((end - at) / SAMPLES) | 0);
  let hash = end - at;
  for (let index = at; index < end; index += step) hash = (Math.imul(hash, 31) + bytes[index]!) | 0;
  return hash;
}
