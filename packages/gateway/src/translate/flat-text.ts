// Texts that are kept by the thousand.

/** Parts with slashes between them, in one piece: what `+` and templates come to goes on holding their parts. */
export const flat = (...parts: readonly (string | number)[]): string => parts.join("/");
