// From the text of an expression to its syntax tree (CEL language definition, "Syntax").

import { tokenize, type Token } from "./lexer.ts";
import { expandMacro } from "./macros.ts";
import { CelSyntaxError, type Node } from "./syntax.ts";

const maxLength = 100_000;
const maxDepth = 250;

/** The tree of `source`. Throws CelSyntaxError when it is no expression, or too long or too deep to be one. */
export function parse(source: string): Node {
  if (source.length > maxLength) {
    throw new CelSyntaxError(`expression code point size exceeds limit: size: ${source.length}, limit ${maxLength}`, 0);
  }
  return new Parser(tokenize(source)).parse();
}

/** Words that are no identifiers (properties called so are escaped: `__namespace__`). */
const reserved = new Set(
  "as break const continue else for function if import let loop package namespace return var void while".split(" "),
);

/** The operators with two sides and how tightly they bind. */
const precedence = new Map([
  ["||", 1],
  ["&&", 2],
  ...["<", "<=", ">=", ">", "==", "!=", "in"].map((sign) => [sign, 3] as const),
  ...["+", "-"].map((sign) => [sign, 4] as const),
  ...["*", "/", "%"].map((sign) => [sign, 5] as const),
]);

/** What cel-go says may begin an operand. */
const operands =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

const notFields = new Set(["true", "false", "null", "in"]);
const selectors = new Set([".", ".?", "[", "[?"]);

class Parser {
  readonly #tokens: Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  parse(): Node {
    const node = this.#expression();
    if (this.#peek().type !== "end") throw this.#unexpected();
    return node;
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.type !== "end") this.#next++;
    return token;
  }

  /** Takes the operator `text` when it is next. */
  #accept(text: string): Token | undefined {
    const token = this.#peek();
    return token.text === text && (token.type === "operator" || text === "in") ? this.#take() : undefined;
  }

  #expect(text: string): Token {
    const token = this.#accept(text);
    if (!token) throw this.#unexpected(text);
    return token;
  }

  #unexpected(wanted?: string): CelSyntaxError {
    const { text, at } = this.#peek();
    const hint = wanted === undefined ? " expecting <EOF>" : ` expecting '${wanted}'`;
    return new CelSyntaxError(`Syntax error: mismatched input '${text}'${hint}`, at);
  }

  #expression(): Node {
    if (++this.#depth > maxDepth) {
      throw new CelSyntaxError(`expression recursion limit exceeded: ${maxDepth}`, this.#peek().at);
    }
    const test = this.#binary(1);
    const mark = this.#accept("?");
    let node = test;
    if (mark) {
      const whenTrue = this.#binary(1);
      this.#expect(":");
      node = { kind: "conditional", at: mark.at, test, whenTrue, whenFalse: this.#expression() };
    }
    this.#depth--;
    return node;
  }

  /** Operands joined by operators that bind at least as tightly as `least`. */
  #binary(least: number): Node {
    let left = this.#unary();
    for (let length = 0; ; length++) {
      const { type, text, at } = this.#peek();
      const level = type === "literal" ? undefined : precedence.get(text);
      if (level === undefined || level < least) return left;
      if (length > maxDepth) throw new CelSyntaxError(`expression recursion limit exceeded: ${maxDepth}`, at);
      if (level < 3) left = this.#logical(left, text, level);
      else {
        this.#next++;
        const name = text === "in" ? "@in" : `_${text}_`;
        left = { kind: "call", at, name, args: [left, this.#binary(level + 1)] };
      }
    }
  }

  /** Long chains become balanced trees, so that evaluating them does not nest deeply. */
  #logical(first: Node, sign: string, level: number): Node {
    const kind = sign === "&&" ? "and" : "or";
    const terms = [first];
    const places: number[] = [];
    for (let token = this.#accept(sign); token; token = this.#accept(sign)) {
      places.push(token.at);
      terms.push(this.#binary(level + 1));
    }
    const balance = (from: number, to: number): Node => {
      if (from === to) return terms[from] as Node;
      const middle = (from + to) >> 1;
      return { kind, at: places[middle] ?? 0, left: balance(from, middle), right: balance(middle + 1, to) };
    };
    return balance(0, terms.length - 1);
  }

  #unary(): Node {
    const { text, at, type } = this.#peek();
    if (type !== "operator" || (text !== "!" && text !== "-")) return this.#member();
    let times = 0;
    while (this.#accept(text)) times++;
    const next = this.#peek();
    if (text === "-" && next.type === "literal") {
      const { value } = next;
      if (typeof value === "bigint") return this.#negated(times, at, value);
    }
    let node = this.#member();
    if (times % 2 === 1) node = { kind: "call", at, name: `${text}_`, args: [node] };
    return node;
  }

  /** The smallest int only exists with its sign, so the sign belongs to the literal. */
  #negated(times: number, at: number, value: bigint): Node {
    const token = this.#peek();
    token.value = -value;
    token.at = at;
    const node = this.#member();
    return times % 2 === 1 ? node : { kind: "call", at, name: "-_", args: [node] };
  }

  #member(): Node {
    let node = this.#primary();
    let length = 0;
    for (;;) {
      const token = this.#peek();
      if (token.type !== "operator" || !selectors.has(token.text)) return node;
      this.#next++;
      if (++length > maxDepth) throw new CelSyntaxError(`expression recursion limit exceeded: ${maxDepth}`, token.at);
      const optional = token.text.endsWith("?");
      if (token.text.startsWith("[")) {
        const index = this.#expression();
        this.#expect("]");
        node = { kind: "index", at: token.at, operand: node, index, optional };
      } else node = this.#selected(node, token.at, optional);
    }
  }

  #selected(operand: Node, at: number, optional: boolean): Node {
    const name = this.#take();
    if (name.type !== "identifier" || notFields.has(name.text)) {
      throw new CelSyntaxError(`Syntax error: mismatched input '${name.text}' expecting IDENTIFIER`, name.at);
    }
    const open = optional ? undefined : this.#accept("(");
    if (!open) return { kind: "select", at, operand, field: name.text, optional };
    const args = this.#list(")", () => this.#expression());
    return expandMacro({ kind: "call", at: open.at, name: name.text, target: operand, args });
  }

  #primary(): Node {
    const token = this.#take();
    const { at, text } = token;
    if (token.type === "literal") return this.#literal(token);
    if (token.type === "identifier") return this.#identifier(token);
    if (text === "(") {
      const node = this.#expression();
      this.#expect(")");
      return node;
    }
    if (text === "[" || text === "[?") {
      const first = text === "[?";
      let count = 0;
      const items = this.#list("]", () => {
        const optional = (first && count === 0) || this.#accept("?") !== undefined;
        count++;
        return { optional, value: this.#expression() };
      });
      return { kind: "list", at, items };
    }
    if (text === "{") return { kind: "map", at, entries: this.#list("}", () => this.#entry()) };
    if (text === ".") return this.#primary();
    throw new CelSyntaxError(`Syntax error: mismatched input '${text}' expecting ${operands}`, at);
  }

  #literal({ value, at }: Token): Node {
    if (value === undefined || value === 2n ** 63n) throw new CelSyntaxError("Syntax error: invalid int literal", at);
    return { kind: "literal", at, value };
  }

  #identifier({ text, at }: Token): Node {
    if (text === "true" || text === "false") return { kind: "literal", at, value: text === "true" };
    if (text === "null") return { kind: "literal", at, value: null };
    if (text === "in") throw new CelSyntaxError("Syntax error: mismatched input 'in'", at);
    if (reserved.has(text)) throw new CelSyntaxError(`Syntax error: reserved identifier: ${text}`, at);
    const open = this.#accept("(");
    if (!open) return { kind: "identifier", at, name: text };
    return expandMacro({ kind: "call", at: open.at, name: text, args: this.#list(")", () => this.#expression()) });
  }

  #entry(): { key: Node; value: Node; optional: boolean } {
    const optional = this.#accept("?") !== undefined;
    const key = this.#expression();
    this.#expect(":");
    return { key, value: this.#expression(), optional };
  }

  /** Items up to the closing bracket; one comma may trail. */
  #list<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.#accept(close)) {
      items.push(item());
      if (this.#accept(",")) continue;
      this.#expect(close);
      break;
    }
    return items;
  }
}
