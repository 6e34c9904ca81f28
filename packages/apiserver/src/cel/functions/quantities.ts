// Kubernetes' quantities (`200M`, `1.5Gi`, `100m`) as exact numbers.

import { CelError, Opaque } from "../values.ts";
import { fn, method, type Overload } from "./overload.ts";

const nanos = 1_000_000_000n;

/** In billionths, the finest unit a quantity keeps. */
class Quantity extends Opaque {
  readonly kind = "quantity";
  readonly nanos: bigint;

  constructor(value: bigint) {
    super();
    this.nanos = value;
  }

  equals(other: Opaque): boolean {
    return other instanceof Quantity && other.nanos === this.nanos;
  }

  /** The whole number it is; undefined when it is none or too large for an int. */
  get whole(): bigint | undefined {
    const value = this.nanos / nanos;
    return this.nanos % nanos === 0n && BigInt.asIntN(64, value) === value ? value : undefined;
  }
}

const decimalExponents: Record<string, number> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binarySuffixes = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const form = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?\d{1,2}))$/;

/** Digits beyond the finest unit round up, away from zero. */
function readQuantity(text: string): Quantity | undefined {
  const parts = text.length > 100 ? null : form.exec(text);
  if (!parts) return undefined;
  const [, sign, digits = "", binary, decimal, exponent] = parts;
  const [whole = "", fraction = ""] = digits.split(".");
  let value = BigInt(whole + fraction);
  let power = 9 - fraction.length;
  if (binary) value <<= BigInt(10 * (binarySuffixes.indexOf(binary) + 1));
  else power += exponent === undefined ? (decimalExponents[decimal ?? ""] ?? 0) : Number(exponent);
  if (power >= 0) value *= 10n ** BigInt(power);
  else {
    const divisor = 10n ** BigInt(-power);
    value = (value + divisor - 1n) / divisor;
  }
  return new Quantity(sign === "-" ? -value : value);
}

function quantity(text: string): Quantity {
  const found = readQuantity(text);
  if (!found) {
    throw new CelError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  }
  return found;
}

function order(a: Quantity, b: Quantity): bigint {
  return a.nanos < b.nanos ? -1n : a.nanos > b.nanos ? 1n : 0n;
}

function asInteger(value: Quantity): bigint {
  const { whole } = value;
  if (whole === undefined) throw new CelError("cannot convert value to integer");
  return whole;
}

/** The functions of this file. */
export const quantities: Overload[] = [
  fn("quantity(string)", "quantity", (text: string) => quantity(text)),
  fn("isQuantity(string)", "bool", (text: string) => readQuantity(text) !== undefined),
  fn("sign(quantity)", "int", (value: Quantity) => order(value, new Quantity(0n))),
  method("isInteger(quantity)", "bool", ({ whole }: Quantity) => whole !== undefined),
  method("asInteger(quantity)", "int", asInteger),
  method("asApproximateFloat(quantity)", "double", (value: Quantity) => Number(value.nanos) / 1e9),
  method("add(quantity, quantity)", "quantity", (a: Quantity, b: Quantity) => new Quantity(a.nanos + b.nanos)),
  method("add(quantity, int)", "quantity", (a: Quantity, b: bigint) => new Quantity(a.nanos + b * nanos)),
  method("sub(quantity, quantity)", "quantity", (a: Quantity, b: Quantity) => new Quantity(a.nanos - b.nanos)),
  method("sub(quantity, int)", "quantity", (a: Quantity, b: bigint) => new Quantity(a.nanos - b * nanos)),
  method("isLessThan(quantity, quantity)", "bool", (a: Quantity, b: Quantity) => order(a, b) < 0n),
  method("isGreaterThan(quantity, quantity)", "bool", (a: Quantity, b: Quantity) => order(a, b) > 0n),
  method("compareTo(quantity, quantity)", "int", order),
];
