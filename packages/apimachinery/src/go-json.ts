// JSON as Go's encoder writes it. Path elements of managedFields and kubectl's last-applied annotation are texts that Go clients
// compare byte for byte.

/** The JSON text of `value` (a JSON tree): keys in order, and what HTML would read as markup escaped. */
export function goJson(value: unknown): string {
  return sortedJson(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Written key by key: an object with sorted keys would still have those that look like numbers first. */
function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value ?? null);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const members = entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${sortedJson(item)}`);
  return `{${members.join(",")}}`;
}
