// `int("1")`, `string(1)`, `type(x)`, ...: from one type to another, or an error.

import type { Meter } from "../../meter.ts";
import { durationText, parseDuration, parseTimestamp, secondsOf, timestamp, timestampText } from "../time.ts";
import { dyn, type Type } from "../types.ts";
import { CelError, type Duration, type Timestamp, typeName, TypeValue, type Uint, type Value } from "../values.ts";
import { int64, uint64 } from "./arithmetic.ts";
import { fn, type Overload } from "./overload.ts";

function wholeOf(value: number): bigint {
  if (!Number.isFinite(value)) throw new CelError("integer overflow");
  return BigInt(Math.trunc(value));
}

function readInt(text: string): bigint {
  if (!/^[-+]?\d+$/.test(text)) throw new CelError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return int64(BigInt(text.replace(/^\+/, "")));
}

function readUint(text: string): Uint {
  if (!/^\d+$/.test(text)) throw new CelError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  return uint64(BigInt(text));
}

function readDouble(text: string): number {
  const special: Record<string, number> = { inf: Infinity, infinity: Infinity, nan: NaN };
  const word = text.toLowerCase().replace(/^[-+]/, "");
  if (Object.hasOwn(special, word)) return text.startsWith("-") ? -(special[word] ?? 0) : (special[word] ?? 0);
  if (!/^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?$/i.test(text)) {
    throw new CelError(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Number(text);
}

const boolTexts: Record<string, boolean> = {
  "1": true,
  t: true,
  T: true,
  TRUE: true,
  true: true,
  True: true,
  "0": false,
  f: false,
  F: false,
  FALSE: false,
  false: false,
  False: false,
};

function readBool(text: string): boolean {
  const value = Object.hasOwn(boolTexts, text) ? boolTexts[text] : undefined;
  if (value === undefined) throw new CelError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  return value;
}

/** As Go's %g with the shortest digits that give the number back. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -4 && exponent < 21) return Object.is(value, -0) ? "-0" : String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}

function bytesText(bytes: Uint8Array, meter: Meter): string {
  meter.spendText(bytes.length);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CelError("invalid UTF-8 in bytes, cannot convert to string");
  }
}

/** The functions of this file. */
export const conversions: Overload[] = [
  fn("int(int)", "int", (value: bigint) => value),
  fn("int(uint)", "int", (value: Uint) => int64(value.value)),
  fn("int(double)", "int", (value: number) => int64(wholeOf(value))),
  fn("int(string)", "int", readInt),
  fn("int(timestamp)", "int", ({ nanos }: Timestamp) => secondsOf(nanos)),
  fn("int(duration)", "int", ({ nanos }: Duration) => nanos),
  fn("uint(uint)", "uint", (value: Uint) => value),
  fn("uint(int)", "uint", (value: bigint) => uint64(value)),
  fn("uint(double)", "uint", (value: number) => uint64(wholeOf(value))),
  fn("uint(string)", "uint", readUint),
  fn("double(double)", "double", (value: number) => value),
  fn("double(int)", "double", (value: bigint) => Number(value)),
  fn("double(uint)", "double", (value: Uint) => Number(value.value)),
  fn("double(string)", "double", readDouble),
  fn("bool(bool)", "bool", (value: boolean) => value),
  fn("bool(string)", "bool", readBool),
  fn("string(string)", "string", (value: string) => value),
  fn("string(bool)", "string", (value: boolean) => String(value)),
  fn("string(int)", "string", (value: bigint) => String(value)),
  fn("string(uint)", "string", (value: Uint) => String(value.value)),
  fn("string(double)", "string", (value: number) => doubleText(value)),
  fn("string(bytes)", "string", bytesText),
  fn("string(duration)", "string", durationText),
  fn("string(timestamp)", "string", timestampText),
  fn("bytes(bytes)", "bytes", (value: Uint8Array) => value),
  fn("bytes(string)", "bytes", (value: string, meter: Meter) => {
    meter.spendText(value.length);
    return Buffer.from(value);
  }),
  fn("duration(duration)", "duration", (value: Duration) => value),
  fn("duration(string)", "duration", parseDuration),
  fn("timestamp(timestamp)", "timestamp", (value: Timestamp) => value),
  fn("timestamp(string)", "timestamp", parseTimestamp),
  fn("timestamp(int)", "timestamp", (seconds: bigint) => timestamp(seconds * 1_000_000_000n)),
  fn(
    "dyn(dyn)",
    (): Type => dyn,
    (value: Value) => value,
  ),
  fn("type(dyn)", "type", (value: Value) => new TypeValue(typeName(value))),
];
