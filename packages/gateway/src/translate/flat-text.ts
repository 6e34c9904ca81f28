// Texts that are kept by the thousand.

/** Parts with slashes between them, in one piece: what `+` and templates come to goes on holding their parts. */
export const flat = (...parts: readonly (string | number)[]): string => parts.join("/");

/** Those of late, by themselves. */
const recent = new Map<string, string>();
const mostRecent = 1_000;

/** The same for what many routes ask for, such as the Service of all of them: equal texts that came lately are one. */
export function sharedFlat(...parts: readonly string[]): string {
  const text = flat(...parts);
  const same = recent.get(text);
  if (same !== undefined) return same;
  if (recent.size >= mostRecent) recent.clear();
  recent.set(text, text);
  return text;
}
