// JSONPath as Kubernetes knows it (client-go util/jsonpath): for printer columns and `-o jsonpath`.

/** Values found in `from`, in order; empty when the path leads nowhere. `root` is what `$` in a filter means (default: `from`). */
type JsonPath = (from: unknown, root?: unknown) => unknown[];

type Step = (values: unknown[], root: unknown) => unknown[];

const isTree = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/**
 * The search for `path`: `.spec.replicas`, `.items[*].name`, `.list[0]`, `.list[-1:]`, `..name`, `['a.b']`, `.a\.b`,
 * `.conditions[?(@.type=="Ready")].status`; braces and a leading `$` may surround it. Throws SyntaxError when it is none.
 */
export function compile(path: string): JsonPath {
  const trimmed = path.trim();
  const body = trimmed.startsWith("{") && trimmed.endsWith("}") ? trimmed.slice(1, -1).trim() : trimmed;
  const reader = new Reader(body.replace(/^[$@]/, ""), path);
  const steps = reader.steps();
  return (from, root = from) => steps.reduce<unknown[]>((values, step) => step(values, root), [from]);
}

/** Reads the steps of one path from its text. */
class Reader {
  readonly #text: string;
  readonly #path: string;
  #at = 0;

  constructor(text: string, path: string) {
    this.#text = text;
    this.#path = path;
  }

  steps(): Step[] {
    const steps: Step[] = [];
    // A bare first name is read like `.name`.
    if (/^[A-Za-z_]/.test(this.#text)) steps.push(field(this.#name()));
    while (this.#at < this.#text.length) steps.push(this.#step());
    return steps;
  }

  #step(): Step {
    if (this.#take("..")) {
      const next = this.#text[this.#at] === "[" ? this.#bracket() : this.#nameStep();
      return (values, root) => next(values.flatMap(descendants), root);
    }
    if (this.#take(".")) return this.#text[this.#at] === "[" ? this.#bracket() : this.#nameStep();
    if (this.#text[this.#at] === "[") return this.#bracket();
    throw this.#error(`unexpected ${JSON.stringify(this.#text.slice(this.#at, this.#at + 1))}`);
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #nameStep(): Step {
    // A lone dot is the object itself.
    if (this.#text === ".") return (values) => values;
    return this.#take("*") ? (values) => values.flatMap(children) : field(this.#name());
  }

  #name(): string {
    const match = /^(?:\\.|[^.[\]\s(){}'"\\])+/.exec(this.#text.slice(this.#at));
    if (!match) throw this.#error("expected a field name");
    this.#at += match[0].length;
    return match[0].replace(/\\(.)/g, "$1");
  }

  /** `[...]`: the text up to the bracket that closes it, quotes and nesting considered. */
  #bracket(): Step {
    const start = ++this.#at;
    let depth = 1;
    let quote = "";
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] ?? "";
      if (quote) {
        if (char === "\\") this.#at++;
        else if (char === quote) quote = "";
      } else if (char === '"' || char === "'") quote = char;
      else if (char === "[") depth++;
      else if (char === "]" && --depth === 0) {
        const inside = this.#text.slice(start, this.#at++).trim();
        return this.#selector(inside);
      }
    }
    throw this.#error("unterminated array");
  }

  #selector(inside: string): Step {
    if (inside === "*") return (values) => values.flatMap(children);
    const filter = /^\?\((.*)\)$/s.exec(inside);
    if (filter) return where(this.#condition(filter[1] ?? ""));
    const parts = splitList(inside).map((part) => this.#part(part.trim()));
    const [only] = parts;
    if (!only) throw this.#error("invalid array index");
    return parts.length === 1 ? only : (values, root) => parts.flatMap((part) => part(values, root));
  }

  #part(text: string): Step {
    const quoted = /^(['"])(.*)\1$/s.exec(text);
    if (quoted) return field((quoted[2] ?? "").replace(/\\(.)/g, "$1"));
    if (/^-?\d+$/.test(text)) return slice(Number(text), undefined, 1, true);
    const range = /^(-?\d*):(-?\d*)(?::(\d+))?$/.exec(text);
    if (!range) throw this.#error(`invalid array index ${text}`);
    const bound = (part: string | undefined): number | undefined => (part ? Number(part) : undefined);
    return slice(bound(range[1]), bound(range[2]), bound(range[3]) ?? 1, false);
  }

  #condition(text: string): Condition {
    const comparison = splitComparison(text);
    if (!comparison) {
      const found = this.#operand(text);
      return (item, root) => found(item, root).length > 0;
    }
    const [left, operator, right] = comparison;
    const compare = comparators[operator];
    if (!compare) throw this.#error(`unrecognized filter operator ${operator}`);
    const a = this.#operand(left);
    const b = this.#operand(right);
    return (item, root) => {
      const x = a(item, root);
      const y = b(item, root);
      return x.length === 1 && y.length === 1 && compare(x[0], y[0]);
    };
  }

  /** A literal, or a path from the item (`@`) or from the root (`$`). */
  #operand(text: string): (item: unknown, root: unknown) => unknown[] {
    const trimmed = text.trim();
    const quoted = /^(['"])(.*)\1$/s.exec(trimmed);
    if (quoted) {
      const literal = (quoted[2] ?? "").replace(/\\(.)/g, "$1");
      return () => [literal];
    }
    if (/^-?\d+(?:\.\d+)?$/.test(trimmed)) return () => [Number(trimmed)];
    if (trimmed === "true" || trimmed === "false") return () => [trimmed === "true"];
    if (trimmed === "") throw this.#error("empty filter");
    if (!/^[@$.]/.test(trimmed)) throw this.#error(`unrecognized identifier ${trimmed}`);
    const search = compile(trimmed);
    return trimmed.startsWith("$") ? (_item, root) => search(root) : (item) => search(item);
  }

  #error(detail: string): SyntaxError {
    return new SyntaxError(`${detail} in JSONPath ${JSON.stringify(this.#path)}`);
  }
}

type Condition = (item: unknown, root: unknown) => boolean;

const ordered =
  (test: (order: number) => boolean) =>
  (a: unknown, b: unknown): boolean =>
    typeof a === typeof b &&
    (typeof a === "number" || typeof a === "string") &&
    test(a < (b as typeof a) ? -1 : a > (b as typeof a) ? 1 : 0);

const comparators: Record<string, (a: unknown, b: unknown) => boolean> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": ordered((order) => order < 0),
  "<=": ordered((order) => order <= 0),
  ">": ordered((order) => order > 0),
  ">=": ordered((order) => order >= 0),
};

const field =
  (name: string): Step =>
  (values) =>
    values.flatMap((value) =>
      isTree(value) && Object.hasOwn(value, name) && value[name] !== undefined ? [value[name]] : [],
    );

function children(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isTree(value) ? Object.values(value) : [];
}

function descendants(value: unknown): unknown[] {
  return [value, ...children(value).flatMap(descendants)];
}

const where =
  (condition: Condition): Step =>
  (values, root) =>
    values.flatMap((value) => (Array.isArray(value) ? value.filter((item) => condition(item, root)) : []));

/** Positions from `start` up to `end` (negative: from the back); with `single` just the one at `start`. */
function slice(start: number | undefined, end: number | undefined, step: number, single: boolean): Step {
  return (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value)) return [];
      if (single) {
        const item = value.at(start ?? 0) as unknown;
        return item === undefined ? [] : [item];
      }
      return value.slice(start, end).filter((_item, index) => index % Math.max(step, 1) === 0);
    });
}

/** Splits at commas outside quotes. */
function splitList(text: string): string[] {
  return text.match(/(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^,'"])+/g) ?? [];
}

/** `[left, operator, right]` of a comparison, operators inside quotes or brackets not counted. */
function splitComparison(text: string): [string, string, string] | undefined {
  const match = /^((?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\[[^\]]*\]|[^'"<>=![\]])*)([<>=!]=?|=~)(.*)$/s.exec(text);
  return match ? [match[1] ?? "", match[2] ?? "", match[3] ?? ""] : undefined;
}
