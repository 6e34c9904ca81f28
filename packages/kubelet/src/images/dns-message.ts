// As much of DNS's wire format (RFC 1035, section 4) as answering one question takes.

import { isIPv4 } from "node:net";

export interface Question {
  id: number;
  /** In lower case, with the final dot. */
  name: string;
  type: number;
  recursionDesired: boolean;
  /** The question section as it came. */
  section: Buffer;
}

export const responseCode = { noError: 0, formatError: 1, serverFailure: 2, notImplemented: 4, refused: 5 } as const;

const headerBytes = 12;
const type = { a: 1, aaaa: 28, srv: 33 };
const classInternet = 1;
/** A name compressed to a pointer at the question's (section 4.1.4). */
const questionName = Buffer.from([0xc0, headerBytes]);

/** Undefined for what is no query with exactly one question. */
export function parseQuestion(datagram: Buffer): Question | undefined {
  if (datagram.length < headerBytes || datagram.readUInt16BE(4) !== 1) return undefined;
  const flags = datagram.readUInt16BE(2);
  if ((flags & 0xf800) !== 0) return undefined;
  const labels: string[] = [];
  let at = headerBytes;
  for (;;) {
    const length = datagram[at];
    if (length === undefined || length > 63) return undefined;
    at++;
    if (length === 0) break;
    labels.push(datagram.toString("latin1", at, at + length));
    at += length;
  }
  if (datagram.length < at + 4) return undefined;
  return {
    id: datagram.readUInt16BE(0),
    name: `${labels.join(".").toLowerCase()}.`,
    type: datagram.readUInt16BE(at),
    recursionDesired: (flags & 0x0100) !== 0,
    section: datagram.subarray(headerBytes, at + 4),
  };
}

/** An authoritative answer without records. */
export function emptyAnswer(question: Question, code: number): Buffer {
  return assemble(question, code, []);
}

/** Who asks, as additional records: the address, and transport and port as an SRV record. */
export function whoamiAnswer(question: Question, peer: { address: string; port: number }): Buffer {
  const address = isIPv4(peer.address) ? record(questionName, type.a, ipv4(peer.address)) : undefined;
  const port = Buffer.alloc(6);
  port.writeUInt16BE(peer.port, 4);
  const service = Buffer.concat([Buffer.from("\x04_udp", "latin1"), questionName]);
  const target = Buffer.from([0]);
  const srv = record(service, type.srv, Buffer.concat([port, target]));
  return assemble(question, responseCode.noError, address ? [address, srv] : [srv]);
}

function assemble({ id, recursionDesired, section }: Question, code: number, additional: Buffer[]): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(id, 0);
  // QR, AA, and RD as it was asked.
  header.writeUInt16BE(0x8400 | (recursionDesired ? 0x0100 : 0) | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(additional.length, 10);
  return Buffer.concat([header, section, ...additional]);
}

function record(name: Buffer, kind: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(kind, 0);
  fixed.writeUInt16BE(classInternet, 2);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([name, fixed, data]);
}

function ipv4(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}
