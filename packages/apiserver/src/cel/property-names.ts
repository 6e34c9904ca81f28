// How expressions spell the names of properties that are no identifiers (apiserver cel Escape).

/** Words of the language: as field names they are escaped, though all but the values and `in` may also stand as they are. */
const words = new Set(
  (
    "true false null in as break const continue else for function if import let loop package namespace return " +
    "var void while"
  ).split(" "),
);

const escapes: Record<string, string> = { __: "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__" };
const marks: Record<string, string> = { underscores: "__", dot: ".", dash: "-", slash: "/" };

/** The property that `identifier` stands for: `__namespace__` and `a__dash__b`. Undefined when it is spelled in no such way. */
export function propertyName(identifier: string): string | undefined {
  if (!identifier.includes("__")) return identifier;
  const word = /^__([a-z]+)__$/.exec(identifier)?.[1];
  if (word !== undefined && words.has(word)) return word;
  const name = identifier.replace(/__(underscores|dot|dash|slash)__/g, (_, part: string) => marks[part] ?? "");
  return name.replace(/__|[./-]/g, (part) => escapes[part] ?? part) === identifier ? name : undefined;
}
