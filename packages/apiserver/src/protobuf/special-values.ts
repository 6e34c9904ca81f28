// Messages that are a single value in JSON: times, amounts, numbers or texts, and JSON itself.

import { decodeJson } from "../http/decode-json.ts";
import { MalformedProtobuf, WireReader, wireTypes } from "./wire-reader.ts";

/** Reads the fields of a small message; `read` returns false for what it does not know. */
function eachField(bytes: Buffer, read: (number: number, wire: number, reader: WireReader) => boolean): void {
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (!read(number, wire, reader)) reader.skip(wire);
  }
}

/** 0001-01-01 and 9999-12-31: what RFC 3339 can say. */
const firstSecond = -62_135_596_800;
const lastSecond = 253_402_300_799;

function readInstant(bytes: Buffer): { seconds: number; nanos: number } | undefined {
  // No bytes is Go's zero time, which is null in JSON.
  if (bytes.length === 0) return undefined;
  let seconds = 0;
  let nanos = 0;
  eachField(bytes, (number, wire, reader) => {
    if (wire !== wireTypes.varint || number > 2) return false;
    if (number === 1) seconds = reader.int64();
    else nanos = reader.int64();
    return true;
  });
  if (seconds < firstSecond || seconds > lastSecond) throw new MalformedProtobuf("a time is beyond the year 9999");
  if (nanos < 0 || nanos > 999_999_999) throw new MalformedProtobuf("a time has more than a second of nanoseconds");
  return { seconds, nanos };
}

const secondsText = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19);

/** meta/v1 Time in whole seconds, as Kubernetes reads it; undefined for the zero time. */
export function timeOf(bytes: Buffer): string | undefined {
  const instant = readInstant(bytes);
  return instant && `${secondsText(instant.seconds)}Z`;
}

/** meta/v1 MicroTime; undefined for the zero time. */
export function microTimeOf(bytes: Buffer): string | undefined {
  const instant = readInstant(bytes);
  if (!instant) return undefined;
  const micros = String(Math.trunc(instant.nanos / 1000)).padStart(6, "0");
  return `${secondsText(instant.seconds)}.${micros}Z`;
}

/** Quantity: its text. */
export function quantityOf(bytes: Buffer): string {
  let text = "";
  eachField(bytes, (number, wire, reader) => {
    if (number !== 1 || wire !== wireTypes.chunk) return false;
    text = reader.text();
    return true;
  });
  return text || "0";
}

/** IntOrString: message { type = 1 (0 number, 1 text), intVal = 2, strVal = 3 }. */
export function intOrStringOf(bytes: Buffer): number | string {
  let isText = false;
  let int = 0;
  let text = "";
  eachField(bytes, (number, wire, reader) => {
    if (number === 1 && wire === wireTypes.varint) isText = reader.int64() === 1;
    else if (number === 2 && wire === wireTypes.varint) int = reader.int64();
    else if (number === 3 && wire === wireTypes.chunk) text = reader.text();
    else return false;
    return true;
  });
  return isText ? text : int;
}

/** FieldsV1, RawExtension and JSON: the JSON text in field 1. undefined when there is none. Throws 400 for broken JSON. */
export function rawJsonOf(bytes: Buffer): unknown {
  let raw: Buffer | undefined;
  eachField(bytes, (number, wire, reader) => {
    if (number !== 1 || wire !== wireTypes.chunk) return false;
    raw = reader.chunk();
    return true;
  });
  return raw?.length ? decodeJson(raw) : undefined;
}
