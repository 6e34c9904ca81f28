// JSON merge patch (RFC 7386).

/** True for JSON objects: not null, not an array. */
export function isTree(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** `document` with `patch` merged in: objects merge, null removes, all else replaces. The inputs are left as they are. */
export function mergePatch(document: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return structuredClone(patch);
  const result = new Map<string, unknown>(isTree(document) ? Object.entries(document) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, mergePatch(result.get(name), value));
  }
  // fromEntries defines properties, so that a field called `__proto__` stays a field.
  return Object.fromEntries(result);
}
