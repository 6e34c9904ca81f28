// All functions by name, and how a call finds its overload.

import { type Kind, kindOf, type Value } from "../values.ts";
import { arithmetic } from "./arithmetic.ts";
import { collections } from "./collections.ts";
import { conversions } from "./conversions.ts";
import { formatLibrary } from "./formats.ts";
import { network } from "./network.ts";
import type { Overload, Parameter } from "./overload.ts";
import { quantities } from "./quantities.ts";
import { semvers } from "./semvers.ts";
import { strings } from "./strings.ts";
import { times } from "./times.ts";
import { urls } from "./urls.ts";

const byName = new Map<string, Overload[]>();
for (const overload of [
  arithmetic,
  collections,
  conversions,
  formatLibrary,
  network,
  quantities,
  semvers,
  strings,
  times,
  urls,
].flat()) {
  const known = byName.get(overload.name);
  if (known) known.push(overload);
  else byName.set(overload.name, [overload]);
}

/** The overloads of `name`, called as a method or not; empty when there are none. */
export function overloadsOf(name: string, isMethod: boolean): Overload[] {
  return (byName.get(name) ?? []).filter((overload) => overload.isMethod === isMethod);
}

/** True when values of `kind` may be passed where `parameter` is wanted. */
function accepts(parameter: Parameter, kind: Kind): boolean {
  return parameter === "dyn" || parameter === kind;
}

/** The overload among `candidates` for these values. */
export function selectOverload(candidates: readonly Overload[], args: readonly Value[]): Overload | undefined {
  const [first] = candidates;
  if (candidates.length === 1 && first?.parameters.every((parameter) => parameter === "dyn")) return first;
  const kinds = args.map(kindOf);
  return candidates.find(
    ({ parameters }) =>
      parameters.length === kinds.length &&
      parameters.every((parameter, index) => accepts(parameter, kinds[index] as Kind)),
  );
}
