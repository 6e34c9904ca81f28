// 200 kills -9 at random moments, the start included, under concurrent writers and watchers: what was acknowledged is
// there under its revision, and everybody who watches sees one history without gap or double.

import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { buildSync } from "esbuild";
import type { ServeOrder } from "./durability-server.fixture.ts";
import { caller, collection, type ConfigMap, type Port, Watcher, Writer } from "./durability.fixture.ts";
import { newServiceAccountKey } from "./testing.ts";

const kills = 200;
/** More changes than the store remembers, its slack included. */
const historyLimit = 2_100;
const writersCount = 8;
const watchersCount = 3;

/** mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** As one file it starts in a third of the time, which is what this test spends. */
function bundle(directory: string): string {
  const outfile = join(directory, "server.mjs");
  const source = join(import.meta.dirname, "durability-server.fixture.ts");
  buildSync({ entryPoints: [source], outfile, bundle: true, platform: "node", format: "esm", logLevel: "warning" });
  return outfile;
}

/** The server as it is killed and started again on the same state. The next process loads while this one serves. */
class MortalServer {
  readonly port: Port = () => this.#port.promise;
  readonly #order: ServeOrder;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #program: string;
  /** Those who wait while a server dies at its start wait for the next one. */
  #port = Promise.withResolvers<number>();
  #serves = false;
  #process: ChildProcess | undefined;
  #next: ChildProcess;

  constructor(directory: string, token: string) {
    this.#order = { statePath: join(directory, "state.db"), serviceAccountKey: newServiceAccountKey(), token };
    this.#environment = { ...process.env, NODE_COMPILE_CACHE: join(directory, "cache") };
    this.#program = bundle(directory);
    this.#next = this.#load();
  }

  start(): void {
    const child = this.#next;
    this.#process = child;
    child.send(this.#order);
    child.once("message", (message) => {
      if (child.killed) return;
      this.#serves = true;
      this.#port.resolve((message as { port: number }).port);
    });
    this.#next = this.#load();
  }

  async kill(): Promise<void> {
    if (this.#serves) this.#port = Promise.withResolvers();
    this.#serves = false;
    const child = this.#process;
    if (!child) return;
    child.kill("SIGKILL");
    if (child.signalCode === null && child.exitCode === null) await once(child, "exit");
    assert.equal(child.signalCode, "SIGKILL", "the server ended by itself");
  }

  stop(): void {
    this.#process?.kill("SIGKILL");
    this.#next.kill("SIGKILL");
  }

  #load(): ChildProcess {
    return fork(this.#program, [], { env: this.#environment, execArgv: ["--disable-warning=ExperimentalWarning"] });
  }
}

function startMortalServer(t: TestContext, token: string): MortalServer {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-durability-"));
  const server = new MortalServer(directory, token);
  t.after(() => {
    server.stop();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  return server;
}

/** Every fifth kill meets a server that is starting. */
async function killAgainAndAgain(server: MortalServer, random: () => number): Promise<void> {
  for (let round = 0; round < kills; round++) {
    server.start();
    if (round % 5 === 4) await delay(random() * 20);
    else {
      await server.port();
      await delay(random() * 60);
    }
    await server.kill();
  }
}

/** 200 starts take as long as the machine is busy. */
const timeout = 20 * 60_000;

test("200 kills: acknowledged writes stay under their revisions, watchers see one history", { timeout }, async (t) => {
  const seed = Number(process.env.GATEHOUSE_TEST_SEED ?? 20_261_123);
  t.diagnostic(`seed ${seed} (GATEHOUSE_TEST_SEED)`);
  const random = seeded(seed);
  const server = startMortalServer(t, "secret");
  const client = caller(server.port, "secret");
  const history = new Map<number, string>();
  const writers = Array.from({ length: writersCount }, (_, index) => new Writer(client, `w${index}`, random));
  const watchers = Array.from({ length: watchersCount }, () => new Watcher(client, history));
  const [writing, watching] = [new AbortController(), new AbortController()];
  const write = async (writer: Writer): Promise<void> => {
    while (!writing.signal.aborted) await writer.step();
  };
  const watch = async (watcher: Watcher): Promise<void> => {
    while (!watching.signal.aborted) await watcher.follow();
  };
  const followed = Promise.all(watchers.map(watch));
  const written = Promise.all(writers.map(write));
  const [survivor] = watchers;
  assert.ok(survivor);
  await Promise.race([killAgainAndAgain(server, random), followed, written]);
  const resumed = survivor.resumed;
  server.start();
  await Promise.race([caughtUp(survivor, historyLimit), followed, written]);
  writing.abort();
  await written;

  const { body } = await client.call("GET", collection);
  const list = body as { items: ConfigMap[]; metadata: { resourceVersion: string } };
  const stored = new Map(list.items.map((item) => [item.metadata.name, item]));
  for (const writer of writers) writer.verify(stored);
  const newest = Math.max(...history.keys(), ...list.items.map(({ metadata }) => Number(metadata.resourceVersion)));
  assert.ok(Number(list.metadata.resourceVersion) >= newest, "the store's revision went back");
  const late = new Watcher(client, history);
  late.revision = 1;
  await late.follow();
  assert.equal(late.revision, 0, "a watch from before what is remembered is refused (410), not left with a gap");
  await Promise.race([followed, Promise.all(watchers.map((watcher) => caughtUp(watcher, newest)))]);
  watching.abort();
  await server.kill();
  await followed;
  const expected = Object.fromEntries(list.items.map((item) => [item.metadata.name, item.data?.value]));
  for (const watcher of watchers) assert.deepEqual(Object.fromEntries(watcher.objects), expected);

  const acknowledged = writers.reduce((sum, writer) => sum + writer.acknowledged, 0);
  t.diagnostic(`${acknowledged} writes acknowledged; a watcher resumed ${resumed} times, listed ${survivor.relisted}`);
  assert.ok(resumed > kills / 2, `a watcher resumed only ${resumed} times`);
});

/** Events arrive in the loop's own time; the test's time limit is the only one. */
async function caughtUp(watcher: Watcher, revision: number): Promise<void> {
  while (watcher.revision < revision) await new Promise((resolve) => setImmediate(resolve));
}
