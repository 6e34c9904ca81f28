// The image coredns/coredns, as far as it answers by itself: zones with the plugin `whoami`. No query leaves this machine, so
// what would be forwarded fails, and says so in the log.

import { readFileSync } from "node:fs";
import { mountedPath } from "@gatehouse/apimachinery/pod-environment";
import { print, printError, serveContainer } from "./container-main.ts";
import { parseCorefile, type ServerBlock } from "./corefile.ts";
import { datagramServer, type Peer } from "./datagram-server.ts";
import { emptyAnswer, parseQuestion, responseCode, whoamiAnswer } from "./dns-message.ts";

/** What CoreDNS does without a Corefile. */
const withoutFile: ServerBlock[] = [{ zones: ["."], port: 53, plugins: ["whoami"] }];

function blocksOf(args: string[]): ServerBlock[] {
  const at = args.findIndex((flag) => /^--?conf(=|$)/.test(flag));
  if (at === -1) return withoutFile;
  const [, inline] = /=(.*)$/.exec(args[at] ?? "") ?? [];
  const path = inline ?? args[at + 1] ?? "";
  try {
    return parseCorefile(readFileSync(mountedPath(path), "utf8"));
  } catch (error) {
    printError(`${path}: ${(error as Error).message}`);
    process.exit(1);
  }
}

/** The block with the longest zone that the name is in. */
function blockFor(name: string, blocks: ServerBlock[]): ServerBlock | undefined {
  const zones = blocks.flatMap((block) => block.zones.map((zone) => ({ zone, block })));
  const fitting = zones.filter(({ zone }) => zone === "." || name === zone || name.endsWith(`.${zone}`));
  return fitting.sort((a, b) => b.zone.length - a.zone.length)[0]?.block;
}

function answer(datagram: Buffer, peer: Peer, blocks: ServerBlock[]): Buffer | undefined {
  const question = parseQuestion(datagram);
  if (!question) return undefined;
  const block = blockFor(question.name, blocks);
  if (block?.plugins.includes("log")) print(`[INFO] ${peer.address}:${peer.port} - ${question.id} "${question.name}"`);
  if (!block) return emptyAnswer(question, responseCode.refused);
  if (block.plugins.includes("whoami")) return whoamiAnswer(question, peer);
  printError(`[ERROR] ${question.name}: this image asks no other server and has only the plugin whoami`);
  return emptyAnswer(question, responseCode.serverFailure);
}

const blocks = blocksOf(process.argv.slice(2));
const ports = [...new Set(blocks.map(({ port }) => port))];
await serveContainer(
  ports.map((port) => {
    const served = blocks.filter((block) => block.port === port);
    return datagramServer(port, (datagram, peer) => answer(datagram, peer, served));
  }),
  () => blocks.forEach(({ zones, port }) => print(`${zones.join(" ")}:${port}`)),
);
