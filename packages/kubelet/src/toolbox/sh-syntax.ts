// The syntax of the toolbox's shell: words, quotes, variables, and what stands between commands.

import { UsageError } from "./program.ts";

/** A word, made from the variables and the last exit code when it is needed. An unquoted variable stays one word. */
export type Word = (variables: Record<string, string>, status: number) => string;

export interface Step {
  /** Whether it runs depends on the exit code before it. */
  when: "always" | "success" | "failure";
  stages: Word[][];
}

type Token = Word | ";" | "&&" | "||" | "|";

/** Throws a UsageError for what this shell does not do, and for what no shell understands. */
export function parseScript(script: string): Step[] {
  const steps: Step[] = [];
  let when: Step["when"] = "always";
  let stages: Word[][] = [[]];
  const finish = (operator: string): void => {
    const empty = stages.some((words) => words.length === 0);
    if (empty && (stages.length > 1 || when !== "always" || operator.length === 2))
      throw new UsageError(`syntax error near "${operator}"`);
    if (!empty) steps.push({ when, stages });
    stages = [[]];
    when = operator === "&&" ? "success" : operator === "||" ? "failure" : "always";
  };
  for (const token of tokensOf(script)) {
    if (typeof token === "function") stages.at(-1)?.push(token);
    else if (token === "|") stages.push([]);
    else finish(token);
  }
  finish("newline");
  return steps;
}

function tokensOf(script: string): Token[] {
  const tokens: Token[] = [];
  let parts: Word[] | undefined;
  const add = (part: Word): void => void (parts = [...(parts ?? []), part]);
  const endWord = (): void => {
    const word = parts;
    parts = undefined;
    if (word) tokens.push((variables, status) => word.map((part) => part(variables, status)).join(""));
  };
  // Sticky patterns, tried in turn: at each place exactly one matches.
  const patterns: [RegExp, (match: RegExpExecArray) => void][] = [
    [/[ \t]+/y, endWord],
    [/[;\n]/y, () => (endWord(), tokens.push(";"))],
    [/&&|\|\|?/y, ([operator]) => (endWord(), tokens.push(operator as Token))],
    [/'([^']*)'/y, ([, text = ""]) => add(() => text)],
    [/"((?:[^"\\]|\\[^])*)"/y, ([, text = ""]) => add(expand(text))],
    [/\\([^])/y, ([, text = ""]) => add(() => text)],
    [/\$(?:\w+|\{\w+\}|\?)/y, ([text]) => add(expand(text))],
    [/[^\s;&|'"\\$<>()`*?[\]{}#]+/y, ([text]) => add(() => text)],
    // Between words a comment, within one an ordinary character.
    [/#[^\n]*/y, ([text]) => (parts ? add(() => text) : undefined)],
    [/[[\]{}](?=[\s\]]|$)|\[(?= )/y, ([text]) => add(() => text)],
  ];
  for (let at = 0; at < script.length;) {
    const found = patterns.find(([pattern]) => ((pattern.lastIndex = at), pattern.test(script)));
    if (!found) throw new UsageError(unsupported(script.slice(at)));
    const [pattern, act] = found;
    pattern.lastIndex = at;
    const match = pattern.exec(script) as RegExpExecArray;
    act(match);
    at = pattern.lastIndex;
  }
  endWord();
  return tokens;
}

/** Variables in a text, `$?` among them; in double quotes a backslash protects only what is special there. */
function expand(text: string): Word {
  if (/`|\$\(/.test(text)) throw new UsageError(unsupported("`"));
  return (variables, status) =>
    text.replace(/\\([$"\\`])|\$(?:(\w+)|\{(\w+)\}|(\?))/g, (_all, escaped, bare, braced, question) =>
      String(escaped ?? (question ? status : (variables[(bare ?? braced) as string] ?? ""))),
    );
}

function unsupported(rest: string): string {
  const [character = ""] = rest;
  if (character === "'" || character === '"') return `a ${character} is not closed`;
  return `${character} is not done here: there are programs, quotes, $NAME, |, ;, && and ||`;
}
