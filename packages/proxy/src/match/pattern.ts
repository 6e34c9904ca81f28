// Regular expressions of routes: RE2's, as Traefik has them, searched for anywhere, so that anchors are up to the author.

import { Re2Tester } from "@gatehouse/re2/tester";

/** A request of 16 KiB keeps the largest expression busy for some tenths of a second at worst; two of 250 characters fit. */
const MOST_STEPS = 3_000;

/** Throws SyntaxError for what RE2 does not accept, such as look-around and back-references, and for what is too large. */
export function compilePattern(source: string): Re2Tester {
  return new Re2Tester(source, MOST_STEPS);
}
