// SQLite ends its write-ahead log at the first frame that does not add up: right for the torn end that a power failure
// leaves, and a silent loss of acknowledged writes when a frame before the end was damaged. This tells the two apart.
// Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log

import { readFileSync } from "node:fs";

const headerSize = 32;
const frameHeaderSize = 24;
const littleEndian = 0x377f0682;

/**
 * What is wrong with the log file at `path`, or undefined. A torn end can hold one transaction, as each is on disk before the next
 * begins; two that end behind a broken frame were acknowledged.
 */
export function walDamage(path: string): string | undefined {
  const wal = readIfThere(path);
  if (!wal || wal.length < headerSize + frameHeaderSize) return undefined;
  const magic = wal.readUInt32BE(0);
  // Its words in the machine's order, which is little-endian wherever Node 24 runs; anything else SQLite judges itself.
  if (magic !== littleEndian || !headerAddsUp(wal)) return undefined;
  const frameSize = frameHeaderSize + wal.readUInt32BE(8);
  const broken = firstBroken(wal, frameSize);
  const lost = commitsFrom(wal, broken, frameSize);
  return lost < 2 ? undefined : `${lost} transactions in ${path} follow a broken part`;
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

type Sum = [number, number];

function headerAddsUp(wal: Buffer): boolean {
  const [first, second] = checksum(wal, 0, 24, [0, 0]);
  return first === wal.readUInt32BE(24) && second === wal.readUInt32BE(28);
}

/** Where the first frame is that does not add up, or belongs to an earlier use of the file. */
function firstBroken(wal: Buffer, frameSize: number): number {
  let sum: Sum = [wal.readUInt32BE(24), wal.readUInt32BE(28)];
  let offset = headerSize;
  for (; offset + frameSize <= wal.length; offset += frameSize) {
    if (!isOfThisUse(wal, offset)) break;
    sum = checksum(wal, offset, offset + 8, sum);
    sum = checksum(wal, offset + frameHeaderSize, offset + frameSize, sum);
    if (sum[0] !== wal.readUInt32BE(offset + 16) || sum[1] !== wal.readUInt32BE(offset + 20)) break;
  }
  return offset;
}

/** The last frame of a transaction says how large the database is after it. */
function commitsFrom(wal: Buffer, start: number, frameSize: number): number {
  let commits = 0;
  for (let offset = start; offset + frameHeaderSize <= wal.length; offset += frameSize) {
    if (isOfThisUse(wal, offset) && wal.readUInt32BE(offset + 4) !== 0) commits++;
  }
  return commits;
}

/** The file is written from its start again and again; the two salts tell its uses apart. */
function isOfThisUse(wal: Buffer, frame: number): boolean {
  return wal.compare(wal, 16, 24, frame + 8, frame + 16) === 0;
}

function checksum(bytes: Buffer, start: number, end: number, [first, second]: Sum): Sum {
  for (let offset = start; offset < end; offset += 8) {
    first = (first + bytes.readUInt32LE(offset) + second) >>> 0;
    second = (second + bytes.readUInt32LE(offset + 4) + first) >>> 0;
  }
  return [first, second];
}
