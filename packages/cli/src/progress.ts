// The visible list of steps: one line each, with a tick and the time it took. What takes long says in between how far it
// is; a log keeps all of it, with the output of the tools that were run.

import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { printable } from "./printable.ts";

/** What the work of a step may say while it goes on. */
export interface Step {
  /** What it is at, or what it found: shown behind the step's name. */
  detail: (text: string) => void;
  /** A line of a tool's own output: kept in the log, shown with --verbose. */
  output: (line: string) => void;
  /** Lets somebody be asked: nothing is drawn over the question until it is answered. */
  pause: <T>(work: () => Promise<T>) => Promise<T>;
}

export interface Progress {
  /** Runs a step. */
  step<T>(name: string, work: (step: Step) => Promise<T>): Promise<T>;
  note(text: string): void;
  /** Shows nothing more from here on. */
  silence(): void;
  /** Keeps everything said so far and from here on in this file (mode 0600), replacing what was there. */
  logTo(path: string): void;
  /** The file, when there is one. */
  readonly log: string | undefined;
  /** Since the progress began. */
  elapsedMs(): number;
  /** What was done, in order, in milliseconds since the start. */
  readonly steps: readonly { name: string; startMs: number; durationMs: number }[];
}

export interface ProgressOptions {
  write: (text: string) => void;
  /** A terminal shows the running step and colours. */
  terminal: boolean;
  quiet: boolean;
  /** Tools' own output is shown. */
  verbose?: boolean;
}

/** How often a running step is drawn anew on a terminal, and how often elsewhere at most a line says how far it is. */
const redrawMs = 1_000;
const reportMs = 10_000;

export function createProgress(options: ProgressOptions): Progress {
  const started = performance.now();
  const steps: { name: string; startMs: number; durationMs: number }[] = [];
  const log = createTranscript();
  let silent = options.quiet;
  let current: StepLine | undefined;
  const show = (text: string): void => {
    if (!silent) options.write(text);
  };
  return {
    steps,
    elapsedMs: () => performance.now() - started,
    silence: () => {
      silent = true;
    },
    logTo: (path) => log.keepIn(path),
    get log() {
      return log.path();
    },
    note: (text) => {
      log.line(text);
      if (current) current.above(text);
      else show(`   ${text}\n`);
    },
    step: async (name, work) => {
      const startMs = performance.now() - started;
      log.line(`> ${name}`);
      const line = stepLine(name, options, show, () => performance.now() - started - startMs);
      current = line;
      const finish = (mark: "✓" | "✗"): void => {
        current = undefined;
        const durationMs = performance.now() - started - startMs;
        steps.push({ name, startMs, durationMs });
        log.line(`${mark} ${line.finish(mark, durationMs)} (${seconds(durationMs)})`);
      };
      try {
        const result = await work(stepOver(line, log, options.verbose === true));
        finish("✓");
        return result;
      } catch (error) {
        log.line(`  ${error instanceof Error ? error.message : String(error)}`);
        finish("✗");
        throw error;
      }
    },
  };
}

/** What the work may say, kept in the log and shown on the line. */
function stepOver(line: StepLine, log: Transcript, verbose: boolean): Step {
  return {
    detail: (words) => {
      const text = printable(words);
      log.line(`  ${text}`);
      line.detail(text);
    },
    output: (words) => {
      const text = printable(words);
      log.line(`  | ${text}`);
      if (verbose) line.faint(text);
    },
    pause: async (question) => {
      line.hold(true);
      try {
        return await question();
      } finally {
        line.hold(false);
      }
    },
  };
}

interface StepLine {
  detail(text: string): void;
  /** Shows a line of its own before the step's. */
  above(text: string): void;
  /** The same in a colour that draws no attention. */
  faint(text: string): void;
  /** While held nothing is drawn. */
  hold(held: boolean): void;
  /** The last state of the line; returns its text. */
  finish(mark: "✓" | "✗", durationMs: number): string;
}

/** The line of one step: redrawn in place on a terminal; elsewhere an extra line now and then while it lasts. */
function stepLine(
  name: string,
  { terminal }: ProgressOptions,
  show: (text: string) => void,
  elapsedMs: () => number,
): StepLine {
  const paint = (code: number, text: string): string => (terminal ? `\u001b[${code}m${text}\u001b[0m` : text);
  const clear = terminal ? "\r\u001b[2K" : "";
  let detail = "";
  let held = false;
  const text = (): string => `${name}${detail && `: ${detail}`}`;
  const draw = (): void => {
    if (held) return;
    const elapsed = elapsedMs();
    const time = elapsed < redrawMs ? "" : ` ${paint(2, `(${seconds(elapsed)})`)}`;
    show(terminal ? `${clear} … ${fitted(text())}${time}` : ` … ${text()} (${seconds(elapsed)})\n`);
  };
  if (terminal) draw();
  const timer = setInterval(draw, terminal ? redrawMs : reportMs);
  timer.unref();
  const above = (words: string): void => {
    show(`${clear}   ${words}\n`);
    if (terminal) draw();
  };
  return {
    detail: (words) => {
      detail = words;
      if (terminal) draw();
    },
    above,
    faint: (words) => above(paint(2, words)),
    hold: (value) => {
      held = value;
      if (terminal) draw();
    },
    finish: (mark, durationMs) => {
      clearInterval(timer);
      const time = paint(2, `(${seconds(durationMs)})`);
      show(`${clear} ${paint(mark === "✓" ? 32 : 31, mark)} ${text()} ${time}\n`);
      return text();
    },
  };
}

/** A line that is redrawn must not wrap. */
function fitted(text: string): string {
  const width = (process.stdout.columns ?? 100) - 16;
  return text.length <= width ? text : `${text.slice(0, Math.max(width - 1, 20))}…`;
}

interface Transcript {
  line(text: string): void;
  keepIn(path: string): void;
  path(): string | undefined;
}

function createTranscript(): Transcript {
  let earlier: string[] = [];
  let file: string | undefined;
  return {
    line: (text) => {
      const line = `${new Date().toISOString()} ${text}\n`;
      const at = file;
      if (at === undefined) earlier.push(line);
      else tried(() => appendFileSync(at, line, { mode: 0o600 }));
    },
    keepIn: (path) => {
      if (path === file) return;
      tried(() => {
        // Made anew: one that is there may be readable for others.
        rmSync(path, { force: true });
        writeFileSync(path, earlier.join(""), { mode: 0o600, flag: "wx" });
        file = path;
      });
      earlier = [];
    },
    path: () => file,
  };
}

/** A log that cannot be written (the disk is full, say) must not keep the work from being done. */
function tried(write: () => void): void {
  try {
    write();
  } catch {
    // The work itself says what is wrong when it needs the disk, too.
  }
}

function seconds(milliseconds: number): string {
  return milliseconds < 10_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
