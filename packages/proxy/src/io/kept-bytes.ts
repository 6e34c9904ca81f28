// Bytes that are kept until somebody can take them. Small pieces are joined: a peer that sends single bytes must cost as many
// bytes, not an object for each.

/** Pieces of this size are copied as they are; smaller ones share blocks that grow to it. */
const LARGEST_BLOCK = 16 * 1024;
const SMALLEST_BLOCK = 256;

export class KeptBytes {
  /** All there is. */
  size = 0;
  #blocks: Buffer[] = [];
  /** Of the last block. */
  #filled = 0;

  /** Copies bytes[start, end). */
  add(bytes: Buffer, start: number, end: number): void {
    const last = this.#blocks.at(-1);
    const stop = last === undefined ? start : Math.min(end, start + last.length - this.#filled);
    if (stop > start) this.#fill(last!, bytes, start, stop);
    if (end > stop) this.#fill(this.#addBlock(end - stop), bytes, stop, end);
  }

  #fill(block: Buffer, bytes: Buffer, start: number, end: number): void {
    bytes.copy(block, this.#filled, start, end);
    this.#filled += end - start;
    this.size += end - start;
  }

  #addBlock(least: number): Buffer {
    const block = Buffer.allocUnsafe(Math.max(least, SMALLEST_BLOCK, Math.min(this.size, LARGEST_BLOCK)));
    this.#blocks.push(block);
    this.#filled = 0;
    return block;
  }

  /** The pieces, in order. They stay as they are, whatever is added. */
  pieces(): Buffer[] {
    const last = this.#blocks.length - 1;
    return this.#blocks.map((block, index) => (index === last ? block.subarray(0, this.#filled) : block));
  }

  /** Takes the first piece out. Only when `size` is not 0. */
  shift(): Buffer {
    const block = this.#blocks.shift()!;
    const piece = this.#blocks.length === 0 ? block.subarray(0, this.#filled) : block;
    this.size -= piece.length;
    return piece;
  }

  clear(): void {
    this.#blocks = [];
    this.#filled = this.size = 0;
  }
}
