// Durations of the Gateway API (GEP-2257): whole numbers of h, m, s and ms, at most four of them.

const shape = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;
const unitMilliseconds: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** Milliseconds, or undefined when the text is not a duration. `0s` is zero: no limit. */
export function parseGatewayDuration(text: string): number | undefined {
  if (!shape.test(text)) return undefined;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/([0-9]+)(ms|h|m|s)/g)) {
    total += Number(number) * (unitMilliseconds[unit ?? ""] ?? 0);
  }
  return total;
}
