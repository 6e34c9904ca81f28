// `"%s has %d".format([a, b])` of cel-go's strings extension.

import type { Meter } from "../../meter.ts";
import { durationText, timestampText } from "../time.ts";
import { isMap } from "../equality.ts";
import { CelError, Duration, List, Timestamp, typeName, TypeValue, Uint, type Value } from "../values.ts";
import { doubleText } from "./conversions.ts";

/** Throws CelError for clauses that are unknown, have no argument, or do not fit theirs. */
export function formatText(template: string, args: List, meter: Meter): string {
  meter.spendText(template.length);
  let next = 0;
  const text = template.replace(/%(?:(%)|(?:\.(\d+))?([a-zA-Z])|)/g, (clause, percent, precision, verb) => {
    if (percent) return "%";
    if (verb === undefined) throw new CelError(`could not parse formatting clause: ${clause}`);
    if (next >= args.size) throw new CelError(`index ${next} out of range`);
    const part = formatOne(String(verb), precision === undefined ? 6 : Number(precision), args.at(next++), meter);
    meter.spendText(part.length);
    return part;
  });
  return text;
}

function formatOne(verb: string, precision: number, value: Value, meter: Meter): string {
  if (precision > 100) throw new CelError("precision out of range");
  const fail = (): CelError => new CelError(`error during formatting: %${verb} cannot format ${typeName(value)}`);
  switch (verb) {
    case "s":
      return plainText(value, meter);
    case "d":
      if (typeof value === "bigint") return String(value);
      if (value instanceof Uint) return String(value.value);
      if (typeof value === "number" && !Number.isFinite(value)) return doubleText(value);
      throw fail();
    case "f":
      return real(value, fail).toFixed(precision);
    case "e":
      return scientific(real(value, fail), precision);
    default:
      return inBase(verb, value, fail);
  }
}

/** As cel-go prints it: `3.140000×10⁰⁰`. */
function scientific(value: number, precision: number): string {
  const [digits = "", exponent = ""] = value.toExponential(precision).split("e");
  const raised = exponent.replace("+", "").replace(/\d+/, (text) => text.padStart(2, "0"));
  return `${digits}×10${raised.replace(/[-\d]/g, (char) => (char === "-" ? "⁻" : ("⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(char)] ?? "")))}`;
}

function real(value: Value, fail: () => CelError): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint) return Number(value.value);
  throw fail();
}

function inBase(verb: string, value: Value, fail: () => CelError): string {
  const bases: Record<string, number> = { b: 2, o: 8, x: 16, X: 16 };
  const base = Object.hasOwn(bases, verb) ? bases[verb] : undefined;
  if (base === undefined)
    throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  let text: string;
  if (typeof value === "bigint") text = value.toString(base);
  else if (value instanceof Uint) text = value.value.toString(base);
  else if (typeof value === "boolean" && base === 2) text = value ? "1" : "0";
  else if (typeof value === "string" && base === 16) text = Buffer.from(value).toString("hex");
  else if (value instanceof Uint8Array && base === 16) text = Buffer.from(value).toString("hex");
  else throw fail();
  return verb === "X" ? text.toUpperCase() : text;
}

function plainText(value: Value, meter: Meter): string {
  meter.spend(1);
  if (typeof value === "string") return value;
  if (value === null) return "null";
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") return doubleText(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (value instanceof Duration) return durationText(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof List)
    return `[${value
      .items()
      .map((item) => plainText(item, meter))
      .join(", ")}]`;
  if (!isMap(value)) throw new CelError(`error during formatting: %s cannot format ${typeName(value)}`);
  const entries = value.keys().map((key) => `${plainText(key, meter)}: ${plainText(value.get(key) ?? null, meter)}`);
  return `{${entries.sort().join(", ")}}`;
}
