// How expressions spell the names of properties that are no identifiers (apiserver cel Escape).

const words = new Set(
  (
    "true false null in as break const continue else for function if import let loop package namespace return " +
    "var void while"
  ).split(" "),
);

const escapes: Record<string, string> = { __: "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__" };

/** The identifier for the property `name`: `__namespace__`, `a__dash__b`. Undefined when expressions cannot reach it. */
export function escapeName(name: string): string | undefined {
  if (/^[A-Za-z][A-Za-z0-9]*$/.test(name)) return words.has(name) ? `__${name}__` : name;
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined;
  return name.replace(/__|[./-]/g, (part) => escapes[part] ?? part);
}

/** The property that `identifier` stands for: the reverse of escapeName. */
export function unescapeName(identifier: string): string {
  if (!identifier.includes("__")) return identifier;
  const word = /^__([a-z]+)__$/.exec(identifier)?.[1];
  if (word !== undefined && words.has(word)) return word;
  return identifier.replace(/__(underscores|dot|dash|slash)__/g, (_, part: string) => marks[part] ?? "");
}

const marks: Record<string, string> = { underscores: "__", dot: ".", dash: "-", slash: "/" };
