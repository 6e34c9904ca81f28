// `npm run fuzz -- --count N --seed S`: a longer search than the tests make. Prints what it finds as JSON lines, and how long each
// stream took; exits with 1 when it found anything. `--peers`: over sockets, beside the nginx, HAProxy and Caddy of the machine.
// `--http2`: connections of HTTP/2 clients, beside node:http2.

import { parseArgs } from "node:util";
import { campaign } from "./campaign.ts";
import type { Finding } from "./differential.ts";
import { http2Campaign } from "./http2-differential.ts";
import { Arena, checkBesidePeers, requestStreams } from "./peers-campaign.ts";
import { peerNames } from "./peers.ts";

const USAGE = "npm run fuzz -- [--count STREAMS] [--seed NUMBER] [--peers | --http2]";

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`--${name} ${text}: not a number; ${USAGE}`);
  return Number(text);
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      peers: { type: "boolean", default: false },
      http2: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      count: { type: "string", default: "100000" },
      seed: { type: "string", default: String(Date.now() % 1e9) },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n\nnpm run fuzz -- --count 1000000\nnpm run fuzz -- --http2 --seed 7\n`);
    return 0;
  }
  const [count, seed] = [wholeNumber("count", values.count), wholeNumber("seed", values.seed)];
  if (values.http2) return besideNode(count, seed);
  return values.peers ? besidePeers(count, seed) : besideLlhttp(count, seed);
}

function print(findings: readonly Finding[]): number {
  for (const finding of findings) process.stdout.write(`${JSON.stringify(finding)}\n`);
  return findings.length === 0 ? 0 : 1;
}

/** Over sockets, beside and in front of the nginx, HAProxy and Caddy of the machine. */
async function besidePeers(count: number, seed: number): Promise<number> {
  const arena = await Arena.open(peerNames);
  const findings = await checkBesidePeers(arena, requestStreams(count, seed));
  await arena.close();
  process.stderr.write(`seed ${seed}: ${count} streams beside ${peerNames.join(", ")}\n`);
  return print(findings);
}

/** Every fourth connection also beside node:http2. */
async function besideNode(count: number, seed: number): Promise<number> {
  const { checked, taken, failed, findings } = await http2Campaign(count, seed);
  process.stderr.write(
    `seed ${seed}: ${checked} connections, ${taken} with requests taken, ${failed} ended by errors\n`,
  );
  return print(findings);
}

async function besideLlhttp(count: number, seed: number): Promise<number> {
  const started = performance.now();
  let told = 0;
  let printed = 0;
  const { checked, taken, refused, findings } = await campaign(count, seed, (outcome) => {
    print(outcome.findings.slice(printed));
    printed = outcome.findings.length;
    if (outcome.checked - told < 100_000) return;
    told = outcome.checked;
    process.stderr.write(`${told} of ${count} streams, ${outcome.findings.length} findings\n`);
  });
  const each = (1000 * (performance.now() - started)) / checked;
  process.stderr.write(
    `seed ${seed}: ${checked} streams at ${each.toFixed(0)} us, ${taken} taken in part or whole, ${refused} refused\n`,
  );
  return findings.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`error: ${(error as Error).message}\n`);
  process.exitCode = 2;
}
