// The visible list of steps: one line each, with a tick and the time it took, while the work goes on.

export interface Progress {
  /** Runs a step. `work` may give a detail to show behind the name, e.g. what was found. */
  step<T>(name: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  note(text: string): void;
  /** Shows nothing more from here on. */
  silence(): void;
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
}

export function createProgress({ write, terminal, quiet }: ProgressOptions): Progress {
  const started = performance.now();
  const steps: { name: string; startMs: number; durationMs: number }[] = [];
  const paint = (code: number, text: string): string => (terminal ? `\u001b[${code}m${text}\u001b[0m` : text);
  let silent = quiet;
  const show = (text: string): void => {
    if (!silent) write(text);
  };

  return {
    steps,
    elapsedMs: () => performance.now() - started,
    silence: () => {
      silent = true;
    },
    note: (text) => show(`   ${text}\n`),
    step: async (name, work) => {
      const startMs = performance.now() - started;
      let detail = "";
      if (terminal) show(` … ${name}`);
      const finish = (mark: string): void => {
        const durationMs = performance.now() - started - startMs;
        steps.push({ name, startMs, durationMs });
        show(
          `${terminal ? "\r\u001b[2K" : ""} ${mark} ${name}${detail && `: ${detail}`} ${paint(2, `(${seconds(durationMs)})`)}\n`,
        );
      };
      try {
        const result = await work((text) => (detail = text));
        finish(paint(32, "✓"));
        return result;
      } catch (error) {
        finish(paint(31, "✗"));
        throw error;
      }
    },
  };
}

function seconds(milliseconds: number): string {
  return milliseconds < 10_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
