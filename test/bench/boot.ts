// How long the cluster takes to come up and go, what each step costs, and how much memory all of it takes.
// Measured from outside, as a user would: from the start of `gatehouse up` (a warm checkout) to the first 200 from
// whoami.localhost, to every pod Ready, and to the command's return.

import { cpus, release, totalmem } from "node:os";
import { rmSync } from "node:fs";
import { request } from "node:http";
import { run as runScript } from "../../scripts/run-tool.ts";
import { gatehouseProgram, root, run, temporaryHome } from "../system/test-cluster.ts";
import { createServer } from "node:net";
import { join } from "node:path";

interface Round {
  firstAnswerMs: number;
  returnedMs: number;
  againMs: number;
  downMs: number;
  memoryMiB: number;
  processes: number;
  steps: { name: string; durationMs: number }[];
}

/** `rounds` (default 7): medians over that many full lives of a cluster. */
export async function main(args: string[]): Promise<void> {
  const rounds = Number(args[0] ?? 7);
  await runScript(process.execPath, [join(root, "scripts/build.ts")]);
  const results: Round[] = [];
  // The first life fills the compile cache and the file cache: that is what "warm" means, and it does not count.
  for (let index = 0; index <= rounds; index++) {
    const result = await oneRound();
    if (index > 0) results.push(result);
    process.stderr.write(`round ${index}/${rounds}: first 200 after ${result.firstAnswerMs.toFixed(0)} ms\n`);
  }
  print(results);
}

async function oneRound(): Promise<Round> {
  const { home, environment } = temporaryHome();
  const port = await freePort();
  try {
    const started = performance.now();
    const answered = firstAnswer(port, started);
    const up = await timed(["up", "--http-port", String(port), "--https-port", "0", "--hosts", "no"], environment);
    const firstAnswerMs = await answered;
    const again = await timed(["up", "--hosts", "no"], environment);
    const { memory } = JSON.parse((await run(gatehouseProgram, ["status", "-o", "json"], environment)).stdout) as {
      memory: { mebibytes: number; processes: number };
    };
    const down = await timed(["down"], environment);
    return {
      firstAnswerMs,
      returnedMs: up.ms,
      againMs: again.ms,
      downMs: down.ms,
      memoryMiB: memory.mebibytes,
      processes: memory.processes,
      steps: stepsOf(up.output),
    };
  } finally {
    await run(gatehouseProgram, ["down"], environment);
    rmSync(home, { recursive: true, force: true });
  }
}

async function timed(args: string[], environment: NodeJS.ProcessEnv): Promise<{ ms: number; output: string }> {
  const started = performance.now();
  const { code, stdout, stderr } = await run(gatehouseProgram, args, environment);
  if (code !== 0) throw new Error(`gatehouse ${args.join(" ")} failed: ${stderr}`);
  return { ms: performance.now() - started, output: stdout };
}

/** Polls like an impatient user until whoami.localhost answers 200. */
async function firstAnswer(port: number, started: number): Promise<number> {
  for (;;) {
    const status = await new Promise<number>((resolve) => {
      request({ host: "127.0.0.1", port, headers: { host: "whoami.localhost" }, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .once("error", () => resolve(0))
        .end();
    });
    if (status === 200) return performance.now() - started;
    if (performance.now() - started > 60_000) throw new Error("whoami.localhost did not answer within 60 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function stepsOf(output: string): Round["steps"] {
  return [...output.matchAll(/^ ✓ (.+?)(?::.*)? \((\d+) ms\)$/gm)].map((match) => ({
    name: match[1] ?? "",
    durationMs: Number(match[2]),
  }));
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function print(results: Round[]): void {
  const figure = (pick: (round: Round) => number): string => {
    const values = results.map(pick).sort((a, b) => a - b);
    const at = (share: number): string => (values[Math.round((values.length - 1) * share)] ?? 0).toFixed(0);
    return `${at(0.5).padStart(6)}  (${at(0)} to ${at(1)})`;
  };
  const rows: [string, string][] = [
    ["first 200 from whoami.localhost, ms", figure((round) => round.firstAnswerMs)],
    ["`up` returned: all pods Ready, every route answered, ms", figure((round) => round.returnedMs)],
    ...(results[0]?.steps ?? []).map(({ name }, index): [string, string] => [
      `  ${name}, ms`,
      figure((round) => round.steps[index]?.durationMs ?? 0),
    ]),
    ["second `up` (no-op), ms", figure((round) => round.againMs)],
    ["`down`, ms", figure((round) => round.downMs)],
    ["memory of all processes (PSS), MiB", figure((round) => round.memoryMiB)],
    ["processes", figure((round) => round.processes)],
  ];
  process.stdout.write(
    `${cpus().length} x ${cpus()[0]?.model ?? "unknown CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}, Node ${process.version}; ` +
      `median (range) of ${results.length} rounds\n\n${rows.map(([label, value]) => `${label.padEnd(62)} ${value}`).join("\n")}\n`,
  );
}
