// Bytes to text, one to one: the way the HTTP/1.1 core reads what it has parsed.

interface Latin1Bytes {
  latin1Slice?(start: number, end: number): string;
  latin1Write?(text: string, start: number, length: number): number;
}

const direct = typeof (Buffer.prototype as Latin1Bytes).latin1Slice === "function";

/** Text of bytes[start, end). What `toString("latin1")` itself calls is asked directly where it is there: it is called twice a
 * request. */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return direct ? (bytes as Latin1Bytes).latin1Slice!(start, end) : bytes.toString("latin1", start, end);
}

/** The same text in memory of its own: parts of a text keep all of it alive, and joined ones are put together at each use. */
export function latin1Copy(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** Writes text to the start of bytes. */
export function writeLatin1(bytes: Buffer, text: string): void {
  if (direct) (bytes as Latin1Bytes).latin1Write!(text, 0, text.length);
  else bytes.write(text, "latin1");
}
