// Plays busybox and pause, as far as Jobs and place holders need them: true, false, echo, sleep. There is no shell; the
// programs are these four and nothing of the host's (docs/decisions/0005-what-a-pod-may.md).

import { openContainerControl } from "@gatehouse/apimachinery/container-control";

const unitSeconds: Record<string, number> = { "": 1, s: 1, m: 60, h: 3_600, d: 86_400 };
/** setTimeout takes no more; longer sleeps are made of several. */
const longestTimerMs = 2 ** 31 - 1;

/** Runs the applet named by the first argument; without one it ends at once, as a shell without a terminal does. */
async function runApplet([name = "true", ...args]: string[]): Promise<number> {
  switch (name.replace(/^(\/usr)?\/bin\//, "")) {
    case "true":
      return 0;
    case "false":
      return 1;
    case "echo":
      return echo(args);
    case "sleep":
      return sleep(args);
    default:
      process.stderr.write(`${name}: applet not found; this image has true, false, echo and sleep\n`);
      return 127;
  }
}

function echo(args: string[]): number {
  const bare = args[0] === "-n";
  process.stdout.write(args.slice(bare ? 1 : 0).join(" ") + (bare ? "" : "\n"));
  return 0;
}

/** Sleeps the sum of the intervals, e.g. `1.5` or `2m`; `infinity` never ends. */
async function sleep(args: string[]): Promise<number> {
  let seconds = 0;
  for (const text of args) {
    const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? [];
    if (number === undefined && !/^inf(inity)?$/.test(text)) {
      process.stderr.write(`sleep: invalid number '${text}'\n`);
      return 1;
    }
    seconds += number === undefined ? Infinity : Number(number) * (unitSeconds[unit] ?? 1);
  }
  if (args.length === 0) {
    process.stderr.write("sleep: missing operand\n");
    return 1;
  }
  for (let left = seconds * 1000; left > 0; left -= longestTimerMs) {
    const pause = Math.min(left, longestTimerMs);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return 0;
}

openContainerControl().listening();
process.exitCode = await runApplet(process.argv.slice(2));
