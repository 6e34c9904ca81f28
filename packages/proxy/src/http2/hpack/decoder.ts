// Decodes header blocks (RFC 7541): one decoder per connection, as each block may change the table that the next one refers to.

import { latin1 } from "../../io/latin1.ts";
import { decodeHuffman } from "./huffman.ts";
import { STATIC_ENTRIES, STATIC_NAMES, STATIC_VALUES } from "./static-table.ts";

/** What an encoder may use without being told otherwise (SETTINGS_HEADER_TABLE_SIZE), in bytes. */
const TABLE_SIZE = 4096;
/** Counted for each entry beside its text (RFC 7541 section 4.1). */
const OVERHEAD = 32;
/** So many entries fit at most: a power of two. */
const SLOTS = TABLE_SIZE / OVERHEAD;
/** Nothing here is longer; what would not fit in 32 bits is never reached. */
const LARGEST_INTEGER = 2 ** 24;

export class HpackDecoder {
  /** The last block was longer than `most`: its list is not complete. */
  tooLong = false;
  /** The dynamic table, a ring. */
  readonly #names: string[] = [""];
  readonly #values: string[] = [""];
  /** Its entries, the slot of the newest, and what they take. */
  #count = 0;
  #newest = 0;
  #size = 0;
  #limit = TABLE_SIZE;
  #at = 0;
  #failed = false;

  /** Names and values in turns of the block at bytes[start, end); null when it cannot be read: then nothing that follows on the
   * connection can (COMPRESSION_ERROR). What goes beyond `most` bytes, counted as in SETTINGS_MAX_HEADER_LIST_SIZE, is
   * left out, and `tooLong` set. */
  decode(bytes: Buffer, start: number, end: number, most: number): string[] | null {
    const fields: string[] = [];
    let room = most;
    let begun = false;
    this.#at = start;
    this.#failed = this.tooLong = false;
    while (this.#at < end) {
      const byte = bytes[this.#at]!;
      if ((byte & 0xe0) === 0x20) {
        if (begun || !this.#resize(bytes, end)) return null;
        continue;
      }
      begun = true;
      let name: string;
      let value: string;
      if ((byte & 0x80) !== 0) {
        const index = this.#integer(bytes, end, 7);
        name = this.#name(index);
        value = this.#value(index);
      } else {
        const indexed = (byte & 0x40) !== 0;
        const index = this.#integer(bytes, end, indexed ? 6 : 4);
        name = index === 0 ? this.#string(bytes, end) : this.#name(index);
        value = this.#string(bytes, end);
        if (indexed && !this.#failed) this.#add(name, value);
      }
      if (this.#failed) return null;
      room -= name.length + value.length + OVERHEAD;
      if (room < 0) this.tooLong = true;
      else fields.push(name, value);
    }
    return fields;
  }

  /** RFC 7541 section 6.3. */
  #resize(bytes: Buffer, end: number): boolean {
    const size = this.#integer(bytes, end, 5);
    if (this.#failed || size > TABLE_SIZE) return false;
    this.#limit = size;
    this.#evict(size);
    return true;
  }

  #add(name: string, value: string): void {
    const size = name.length + value.length + OVERHEAD;
    this.#evict(Math.max(0, this.#limit - size));
    // RFC 7541 section 4.4: what is larger than the table empties it.
    if (size > this.#limit) return;
    this.#newest = (this.#newest + 1) & (SLOTS - 1);
    this.#names[this.#newest] = name;
    this.#values[this.#newest] = value;
    this.#count++;
    this.#size += size;
  }

  /** Drops the oldest until no more than `size` bytes are taken. */
  #evict(size: number): void {
    while (this.#size > size) {
      const slot = this.#slot(--this.#count);
      this.#size -= this.#names[slot]!.length + this.#values[slot]!.length + OVERHEAD;
      this.#names[slot] = this.#values[slot] = "";
    }
  }

  /** `age`: 0 is the newest. */
  #slot(age: number): number {
    return (this.#newest - age) & (SLOTS - 1);
  }

  #name(index: number): string {
    if (index <= STATIC_ENTRIES && index > 0) return STATIC_NAMES[index]!;
    return this.#isDynamic(index) ? this.#names[this.#slot(index - STATIC_ENTRIES - 1)]! : "";
  }

  #value(index: number): string {
    if (index <= STATIC_ENTRIES && index > 0) return STATIC_VALUES[index]!;
    return this.#isDynamic(index) ? this.#values[this.#slot(index - STATIC_ENTRIES - 1)]! : "";
  }

  #isDynamic(index: number): boolean {
    if (index > STATIC_ENTRIES && index <= STATIC_ENTRIES + this.#count) return true;
    this.#failed = true;
    return false;
  }

  /** RFC 7541 section 5.1. */
  #integer(bytes: Buffer, end: number, prefix: number): number {
    const most = (1 << prefix) - 1;
    let value = bytes[this.#at++]! & most;
    if (value < most) return value;
    for (let shift = 0; this.#at < end && shift <= 21; shift += 7) {
      const byte = bytes[this.#at++]!;
      value += (byte & 127) << shift;
      if ((byte & 128) === 0 && value < LARGEST_INTEGER) return value;
    }
    this.#failed = true;
    return 0;
  }

  /** RFC 7541 section 5.2. */
  #string(bytes: Buffer, end: number): string {
    if (this.#failed || this.#at >= end) return this.#fail();
    const coded = (bytes[this.#at]! & 0x80) !== 0;
    const length = this.#integer(bytes, end, 7);
    const start = this.#at;
    if (this.#failed || length > end - start) return this.#fail();
    this.#at = start + length;
    return (coded ? decodeHuffman(bytes, start, this.#at) : latin1(bytes, start, this.#at)) ?? this.#fail();
  }

  #fail(): string {
    this.#failed = true;
    return "";
  }
}
