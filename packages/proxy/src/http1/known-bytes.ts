// What was read lately, found again by its bytes. Peers say the same from message to message: the same fields with every request,
// the same head with every answer. Comparing bytes costs a fraction of what reading them does, and nothing is taken for known
// that is not the same from its first byte to its last.

/** What was read from so many bytes. */
export interface Known {
  readonly length: number;
}

const SLOT_BITS = 12;
const SLOTS = 1 << SLOT_BITS;
/** Others are not kept. */
const SHORTEST = 4;
const LONGEST = 4096;
/** Nor more bytes than this in all. What is made of them takes several times as much. */
const MOST_BYTES = 2 * 1024 * 1024;
/** A slot takes in what missed it so often in a row, with nothing else in between, and with each time it is to be more often: where many
 * share one, reading costs less than keeping. */
const FIRST_PATIENCE = 2;
const MOST_PATIENCE = 128;
/** So many words of four bytes decide about the slot. */
const MOST_WORDS = 256;

const NO_WORDS = new Int32Array();

export class KnownBytes<T extends Known> {
  readonly #hashed: number;
  readonly #slots: (T | null)[] = Array.from({ length: SLOTS }, () => null);
  /** What is kept is only looked at, elsewhere in memory, when these are the same. */
  readonly #hashes: Int32Array = new Int32Array(SLOTS);
  readonly #words: Int32Array[] = Array.from({ length: SLOTS }, () => NO_WORDS);
  /** What missed last, and how often in a row. */
  readonly #missed: Int32Array = new Int32Array(SLOTS);
  readonly #misses: Uint8Array = new Uint8Array(SLOTS);
  readonly #patience: Uint8Array = new Uint8Array(SLOTS).fill(FIRST_PATIENCE);
  /** Whether it was kept or looked up since room was to be made there. */
  readonly #used: Uint8Array = new Uint8Array(SLOTS);
  /** Where room is made next. */
  #hand = 0;
  #bytes = 0;
  /** The slot where something was found last. */
  #found = 0;
  /** Of what was not found last. */
  #hash = 0;

  /** Of so many bytes the hash is made that decides about the slot: of all unless it says otherwise. */
  constructor(hashed = Infinity) {
    this.#hashed = hashed;
  }

  /** What bytes[at, end) begin with, null when it is not known. */
  find(bytes: Uint8Array, at: number, end: number): T | null {
    // What was said last is mostly said again.
    return this.#at(this.#found, bytes, at, end) ?? this.#lookUp(bytes, at, end);
  }

  #lookUp(bytes: Uint8Array, at: number, end: number): T | null {
    const hash = hashOf(bytes, at, Math.min(end, at + this.#hashed));
    const slot = slotOf(hash);
    const known = this.#hashes[slot] === hash ? this.#at(slot, bytes, at, end) : null;
    if (known === null) this.#hash = hash;
    else {
      this.#found = slot;
      this.#used[slot] = 1;
    }
    return known;
  }

  #at(slot: number, bytes: Uint8Array, at: number, end: number): T | null {
    const known = this.#slots[slot]!;
    if (known === null || !beginsWith(bytes, at, end, known.length, this.#words[slot]!)) return null;
    this.#misses[slot] = 0;
    return known;
  }

  /** Whether to keep what `find` has just not found and is so many bytes long. */
  wants(length: number): boolean {
    if (length < SHORTEST || length > LONGEST) return false;
    const slot = slotOf(this.#hash);
    if (this.#missed[slot] !== this.#hash) this.#misses[slot] = 0;
    this.#missed[slot] = this.#hash;
    if (++this.#misses[slot]! < this.#patience[slot]!) return false;
    this.#misses[slot] = 0;
    this.#patience[slot] = Math.min(MOST_PATIENCE, this.#patience[slot]! * 2);
    return true;
  }

  /** Keeps what was wanted, read from the bytes that begin at bytes[at], in place of what fell on its slot before. */
  keep(bytes: Uint8Array, at: number, known: T): void {
    const slot = slotOf(this.#hash);
    this.#bytes += known.length - (this.#slots[slot]?.length ?? 0);
    this.#slots[slot] = known;
    this.#hashes[slot] = this.#hash;
    this.#words[slot] = wordsOf(bytes, at, known.length);
    this.#used[slot] = 1;
    while (this.#bytes > MOST_BYTES) this.#makeRoom();
  }

  /** Takes the next slot's away unless it was found since that slot was looked at: what does not come any more must not keep others out. */
  #makeRoom(): void {
    const slot = this.#hand;
    this.#hand = (slot + 1) % SLOTS;
    if (this.#used[slot] === 1) {
      this.#used[slot] = 0;
      return;
    }
    // Not looked up while it is said again and again.
    if (slot === this.#found) return;
    this.#bytes -= this.#slots[slot]?.length ?? 0;
    this.#slots[slot] = null;
    this.#words[slot] = NO_WORDS;
  }
}

/** Multiplying carries differences to the upper bits. */
const FACTOR = 0x9e3779b1;
const slotOf = (hash: number): number => hash >>> (32 - SLOT_BITS);

/** Of what was read last: mostly the one buffer that all connections read into. */
let view: DataView = new DataView(new ArrayBuffer());

/** The view in which bytes begin at `byteOffset`. */
function viewOf({ buffer }: Uint8Array): DataView {
  if (view.buffer !== buffer) view = new DataView(buffer);
  return view;
}

/** The last of the words stands at the end, whether or not it has a part in common with the one before. */
function beginsWith(bytes: Uint8Array, at: number, end: number, length: number, words: Int32Array): boolean {
  if (length > end - at) return false;
  const view = viewOf(bytes);
  const last = words.length - 1;
  let from = bytes.byteOffset + at;
  if (view.getInt32(from + length - 4, true) !== words[last]) return false;
  // Four bytes at a time, wherever they stand.
  for (let word = 0; word < last; word++, from += 4) if (view.getInt32(from, true) !== words[word]) return false;
  return true;
}

function wordsOf(bytes: Uint8Array, at: number, length: number): Int32Array {
  const view = viewOf(bytes);
  const start = bytes.byteOffset + at;
  const count = Math.ceil(length / 4);
  return Int32Array.from({ length: count }, (_, word) => view.getInt32(start + Math.min(word * 4, length - 4), true));
}

/** A number for bytes[at, end), made of all of them, or of many where there are thousands. */
export function hashOf(bytes: Uint8Array, at: number, end: number): number {
  const length = end - at;
  const view = viewOf(bytes);
  const step = Math.max(4, (length / MOST_WORDS) | 0);
  const last = bytes.byteOffset + end - 4;
  let hash = length;
  for (let from = bytes.byteOffset + at; from <= last; from += step) {
    hash = (Math.imul(hash, FACTOR) + view.getInt32(from, true)) | 0;
  }
  // What is left over of the last word.
  if (length >= 4) hash = (Math.imul(hash, FACTOR) + view.getInt32(last, true)) | 0;
  return Math.imul(hash ^ (hash >>> 16), FACTOR) | 0;
}
