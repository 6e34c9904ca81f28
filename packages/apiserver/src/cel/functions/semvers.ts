// Kubernetes' semantic versions (semver.org 2.0.0): `semver('1.2.3').isLessThan(semver('2.0.0'))`.

import { CelError, Opaque } from "../values.ts";
import { fn, method, type Overload } from "./overload.ts";

class Semver extends Opaque {
  readonly kind = "semver";
  readonly numbers: readonly bigint[];
  /** The parts of `-rc.1`; a release has none. */
  readonly candidate: readonly string[];

  constructor(numbers: bigint[], candidate: string[]) {
    super();
    this.numbers = numbers;
    this.candidate = candidate;
  }

  /** What follows a `+` makes no difference. */
  equals(other: Opaque): boolean {
    return other instanceof Semver && order(this, other) === 0n;
  }
}

const number = "(0|[1-9]\\d*)";
const part = "(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)";
const form = new RegExp(
  `^${number}\\.${number}\\.${number}(?:-(${part}(?:\\.${part})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);
const maxNumber = 2n ** 64n;

/** `v1.02` as 1.2.0: a leading v, missing numbers and leading zeros are put right. */
function normalized(text: string): string {
  const [, numbers = "", rest = ""] = /^v?([\d.]*)(.*)$/s.exec(text) ?? [];
  const parts = numbers.split(".").map((each) => each.replace(/^0+(?=\d)/, ""));
  while (parts.length < 3) parts.push("0");
  return parts.join(".") + rest;
}

function read(text: string, lenient: boolean): Semver | undefined {
  const parts = text.length > 300 ? null : form.exec(lenient ? normalized(text) : text);
  if (!parts) return undefined;
  const numbers = parts.slice(1, 4).map(BigInt);
  if (numbers.some((each) => each >= maxNumber)) return undefined;
  return new Semver(numbers, parts[4]?.split(".") ?? []);
}

function semver(text: string, lenient: boolean): Semver {
  const found = read(text, lenient);
  if (!found) throw new CelError(`semver parse error: ${JSON.stringify(text)} is no semantic version`);
  return found;
}

const sign = <T>(a: T, b: T): bigint => (a < b ? -1n : a > b ? 1n : 0n);

function order(a: Semver, b: Semver): bigint {
  for (const index of [0, 1, 2]) {
    const difference = sign(a.numbers[index] ?? 0n, b.numbers[index] ?? 0n);
    if (difference !== 0n) return difference;
  }
  // A release comes after its candidates.
  if (a.candidate.length === 0 || b.candidate.length === 0) return sign(b.candidate.length, a.candidate.length);
  for (const [index, left] of a.candidate.entries()) {
    const right = b.candidate[index];
    if (right === undefined) return 1n;
    const difference = orderOfParts(left, right);
    if (difference !== 0n) return difference;
  }
  return sign(a.candidate.length, b.candidate.length);
}

/** Numbers come before words, and in the order of numbers. */
function orderOfParts(a: string, b: string): bigint {
  const [left, right] = [a, b].map((each) => /^\d+$/.test(each));
  if (left && right) return sign(BigInt(a), BigInt(b));
  return left === right ? sign(a, b) : left ? -1n : 1n;
}

const at =
  (index: number) =>
  ({ numbers }: Semver) =>
    numbers[index] ?? 0n;

/** The functions of this file. */
export const semvers: Overload[] = [
  fn("semver(string)", "semver", (text: string) => semver(text, false)),
  fn("semver(string, bool)", "semver", semver),
  fn("isSemver(string)", "bool", (text: string) => read(text, false) !== undefined),
  fn("isSemver(string, bool)", "bool", (text: string, lenient: boolean) => read(text, lenient) !== undefined),
  method("major(semver)", "int", at(0)),
  method("minor(semver)", "int", at(1)),
  method("patch(semver)", "int", at(2)),
  method("isLessThan(semver, semver)", "bool", (a: Semver, b: Semver) => order(a, b) < 0n),
  method("isGreaterThan(semver, semver)", "bool", (a: Semver, b: Semver) => order(a, b) > 0n),
  method("compareTo(semver, semver)", "int", order),
];
