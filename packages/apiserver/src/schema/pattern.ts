// Regular expressions of schemas. Kubernetes compiles them with RE2; JavaScript's engine takes a slightly different syntax.

const compiled = new Map<string, RegExp>();

/** POSIX classes inside brackets, as RE2 knows them. */
const posix: Record<string, string> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7F",
  blank: "\\t ",
  cntrl: "\\x00-\\x1F\\x7F",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

// In the `u` mode these are the only escapes of punctuation; RE2 lets any punctuation be escaped.
const escapable = new Set("^$\\.*+?()[]{}|/");

/** One `\x` of RE2, and how many characters of the source it took. */
function translateEscape(source: string, at: number, inClass: boolean): [string, number] {
  const next = source[at + 1] ?? "";
  if (next === "z" && !inClass) return ["$", 2];
  if (next === "A" && !inClass) return ["^", 2];
  if (next === "a") return ["\\x07", 2];
  if (next === "x" && source[at + 2] === "{") {
    const end = source.indexOf("}", at);
    return [`\\u${source.slice(at + 2, end + 1)}`, end + 1 - at];
  }
  if (next === "Q") {
    const end = source.indexOf("\\E", at + 2);
    const literal = source.slice(at + 2, end < 0 ? undefined : end);
    return [literal.replace(/[\^$\\.*+?()[\]{}|/]/g, "\\$&"), literal.length + (end < 0 ? 2 : 4)];
  }
  if (/[0-9A-Za-z]/.test(next) || escapable.has(next) || (inClass && next === "-")) return [`\\${next}`, 2];
  return [next, 2];
}

/** The body of a JavaScript `u` expression that matches what RE2's `source` matches. */
function translate(source: string): string {
  let out = "";
  let inClass = false;
  for (let at = 0; at < source.length;) {
    const char = source[at] ?? "";
    const named = inClass ? /^\[:(\^?)([a-z]+):\]/.exec(source.slice(at)) : null;
    let taken = 1;
    if (named && posix[named[2] ?? ""] !== undefined && !named[1]) {
      out += posix[named[2] ?? ""];
      taken = named[0].length;
    } else if (char === "\\") {
      const [text, length] = translateEscape(source, at, inClass);
      out += text;
      taken = length;
    } else if (inClass && char === "[") {
      out += "\\[";
    } else if (!inClass && source.startsWith("(?P<", at)) {
      out += "(?<";
      taken = 4;
    } else {
      if (char === "[") {
        inClass = true;
        // A `]` right after the bracket is a literal in RE2.
        const lead = /^\[\^?\]/.exec(source.slice(at))?.[0];
        if (lead) {
          out += `${lead.slice(0, -1)}\\]`;
          at += lead.length;
          continue;
        }
      } else if (char === "]") inClass = false;
      out += char;
    }
    at += taken;
  }
  return out;
}

/**
 * The expression for a schema's `pattern`, compiled once. Throws SyntaxError when the source is no regular expression,
 * or uses what RE2 refuses (look-around, back-references).
 */
export function compilePattern(source: string): RegExp {
  const known = compiled.get(source);
  if (known) return known;
  if (/\(\?(?:[=!]|<[=!])/.test(source) || /(?:^|[^\\])(?:\\\\)*\\[1-9]/.test(source)) {
    throw new SyntaxError(`invalid or unsupported Perl syntax in ${JSON.stringify(source)}`);
  }
  const flags = /^\(\?([ims]+)\)/.exec(source);
  const body = translate(flags ? source.slice(flags[0].length) : source);
  const expression = new RegExp(body, `u${flags?.[1] ?? ""}`);
  compiled.set(source, expression);
  return expression;
}
