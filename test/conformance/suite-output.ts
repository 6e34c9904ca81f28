// Reads what the suite's test program prints (Go's -test.v=test2json) and tells of each test when it has ended.

export interface TestOutcome {
  /** As the suite calls it, e.g. `HTTPRouteWeight`. */
  name: string;
  outcome: "PASS" | "FAIL" | "SKIP";
  seconds: number;
  /** What the test and its parts printed, with a line `--- FAIL: NAME` where a part failed. */
  lines: string[];
}

export interface SuiteOutput {
  write(text: string): void;
  /** The whole was ended from outside, or its preparation failed: what was printed outside of any test. */
  readonly otherLines: readonly string[];
}

/** What marks the program's own lines. */
const mark = "\x16";
const root = "TestConformance/";

/** `onTest` comes once for each of the suite's tests, in the order in which they end. */
export function readSuiteOutput(
  onTest: (outcome: TestOutcome) => void,
  onBegin: (name: string) => void = () => {},
): SuiteOutput {
  const lines = new Map<string, string[]>();
  const otherLines: string[] = [];
  let current = "";
  let rest = "";
  const read = (raw: string): void => {
    const line = raw.replaceAll(mark, "");
    const [, verb, subject = ""] = /^=== (RUN|NAME|CONT|PAUSE) +(.*)$/.exec(line) ?? [];
    if (verb) {
      current = topLevel(subject);
      if (verb === "RUN" && subject === root + current) onBegin(current);
      return;
    }
    const [, outcome, name = "", seconds] = /^\s*--- (PASS|FAIL|SKIP): (\S+) \(([\d.]+)s\)$/.exec(line) ?? [];
    if (!outcome) return void (current ? linesOf(current) : otherLines).push(line);
    const test = topLevel(name);
    if (name !== root + test) return void (outcome === "FAIL" && linesOf(test).push(`--- FAIL: ${name}`));
    onTest({ name: test, outcome: outcome as TestOutcome["outcome"], seconds: Number(seconds), lines: linesOf(test) });
  };
  const linesOf = (name: string): string[] => {
    const known = lines.get(name) ?? [];
    lines.set(name, known);
    return known;
  };
  return {
    otherLines,
    write: (text) => {
      const whole = (rest + text).split("\n");
      rest = whole.pop() ?? "";
      whole.forEach(read);
    },
  };
}

/** Empty for the suite as a whole. */
function topLevel(name: string): string {
  return name.startsWith(root) ? (name.slice(root.length).split("/", 1)[0] ?? "") : "";
}

/** Why a test failed, in one line, as far as its output says: the first complaint of a part of it, or its own last word. */
export function complaintOf({ lines }: TestOutcome): string {
  const failed = lines.findIndex((line) => line.startsWith("--- FAIL"));
  const before = lines.slice(0, failed === -1 ? lines.length : failed).filter((line) => !/: Deleting /.test(line));
  const asserted = before.findLastIndex((line) => /^\s*Error:/.test(line));
  if (asserted !== -1) {
    const messages = before.slice(asserted).find((line) => /^\s*Messages:/.test(line));
    return [before[asserted], messages].map((line) => line?.replace(/^\s*(Error|Messages):\s*/, "")).join("; ");
  }
  return before.slice(-2).map(essence).join("; ");
}

/** Without place and time; of the long sentence about a request only why it was not right. */
function essence(line: string): string {
  const [, reason] = /not ready yet: (.*?)(?: \(after [^)]*\))?$/.exec(line) ?? [];
  return reason ?? line.trim().replace(/^\w+\.go:\d+: (?:[\dT:.-]+Z: )?/, "");
}

/** Service meshes have tests and profiles of their own, which are nothing to a gateway. */
export function isOfMesh(name: string): boolean {
  return name.startsWith("Mesh");
}

/** Why a test of Gateways was left out; undefined for one that ran. */
export function missedBy({ name, outcome, lines }: TestOutcome): string | undefined {
  if (outcome !== "SKIP" || isOfMesh(name)) return undefined;
  const [, feature] = /suite does not support (\w+)/.exec(lines.join("\n")) ?? [];
  return feature ? `${feature} is not supported` : essence(lines.at(-1) ?? "skipped");
}
