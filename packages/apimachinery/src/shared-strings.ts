// What JSON.parse makes has a string of its own for every value, and thousands of objects of one kind say mostly the same:
// kinds, names of what they refer to, reasons and messages of conditions.

/** Longer ones are seldom the same. */
const longest = 100;
/** More are not remembered: then it is time to begin anew, for most of them are names and uids that come once. */
const most = 2_000;

export class SharedStrings {
  readonly #known = new Map<string, string>();

  /** Puts strings in the place of equal ones, in all that `value` holds. Nobody else may have it yet. */
  shareIn(value: object): void {
    const held = value as Record<string, unknown>;
    for (const key in held) {
      const each = held[key];
      if (typeof each === "string") {
        if (each.length <= longest) held[key] = this.#same(each);
      } else if (typeof each === "object" && each !== null) this.shareIn(each);
    }
  }

  #same(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size === most) this.#known.clear();
    this.#known.set(text, text);
    return text;
  }
}
