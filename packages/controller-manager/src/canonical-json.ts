// Objects compared by what they say: absent, null and empty fields are the same, and the order of keys means nothing.

/** JSON with sorted keys, without null, empty objects and empty lists: how two stored templates are compared. */
export function canonical(value: unknown): string {
  return JSON.stringify(pruned(value)) ?? "null";
}

function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => pruned(item) ?? null);
  if (typeof value !== "object" || value === null) return value ?? undefined;
  const entries = Object.entries(value)
    .map(([key, child]) => [key, pruned(child)] as const)
    .filter(([, child]) => child !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** True when a status has to be written: a settled cluster makes no writes. */
export function statusDiffers(stored: unknown, wanted: unknown): boolean {
  return canonical(stored) !== canonical(wanted);
}
