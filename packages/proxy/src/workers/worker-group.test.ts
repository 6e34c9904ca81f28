import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, it, test } from "node:test";
import type { TestContext } from "node:test";
import type { AccessRecord } from "../proxy.ts";
import { createAuthority } from "../testing/certificates.ts";
import { answering, exchangeBytes, GET_CLOSE, ok, RawClient } from "../testing/sockets.ts";
import type { Backend } from "../testing/sockets.ts";
import { echoing, ending, received, streamListener, streamTo, tcpService } from "../testing/streams.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import { isResumed, tlsSession } from "../testing/tls-clients.ts";
import { createWorkerGroup } from "./worker-group.ts";
import type { ProxyGroup } from "./worker-group.ts";
import { TableDecoder, TableEncoder } from "./table-transfer.ts";

const program = join(import.meta.dirname, "../testing/worker-program.ts");

/** As worker-program.ts writes them. */
type Line = AccessRecord & { name: string; format: unknown };

async function backendFor(t: TestContext): Promise<Backend> {
  const backend = await answering(ok("hello"));
  t.after(() => backend.close());
  return backend;
}

/** Asks until `holds`; every round is a turn of the event loop at least. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

interface Facts {
  lines: Line[];
  log: string[];
  /** What lines call a route is this and its listener and id. */
  names: { prefix: string; asked: number };
}

async function withGroup(run: (group: ProxyGroup, facts: Facts) => Promise<void>, { workers } = { workers: 2 }) {
  const lines: Line[] = [];
  const log: string[] = [];
  const names = { prefix: "first", asked: 0 };
  const group = createWorkerGroup({
    workers,
    program,
    accessLog: {
      format: new Map([["a", 1]]),
      nameOf: (name, id) => {
        names.asked++;
        return `${names.prefix} ${name} ${id}`;
      },
      write: (chunk) => {
        for (const line of Buffer.from(chunk).toString().trimEnd().split("\n")) lines.push(JSON.parse(line) as Line);
      },
    },
    log: (line) => log.push(line),
  });
  try {
    await run(group, { lines, log, names });
  } finally {
    await group.close({ graceMs: 100 });
  }
}

test("two workers share an address; lines and numbers come together", async (t) => {
  const backend = await backendFor(t);
  await withGroup(async (group, { lines, names }) => {
    const hosts = { "*": [route("/*", "s", { id: "r" })] };
    const [state] = await group.apply(table([listener(hosts)], [service("s", [backend.port])]));
    assert.equal(state!.error, undefined);
    for (let count = 0; count < 40; count++) assert.match(await exchangeBytes(state!.port, GET_CLOSE), /hello$/);
    await until(() => lines.length === 40);
    assert.equal((await group.stats()).requests, 40);
    assert.deepEqual(new Set(lines.map(({ name }) => name)), new Set(["first web r"]));
    assert.ok(names.asked <= 2, `${names.asked} names were asked for`);
    // Each worker gives out every other number.
    assert.equal(new Set(lines.map(({ requestCount }) => requestCount)).size, 40);
    assert.ok(lines.every(({ requestCount }) => requestCount >= 1 && requestCount <= 80));
    const { routes, endpoints } = await group.stats();
    assert.equal(routes.r!.requests, 40);
    assert.equal(
      routes.r!.durations.reduce((sum, each) => sum + each, 0),
      40,
    );
    // The system spreads connections by their ports: both workers have dialled the backend.
    assert.equal(endpoints[`127.0.0.1:${backend.port}`]!.connectionsOpened, 2);
    assert.equal(group.match({ listener: "web", method: "GET", host: "a", target: "/" }).route, "r");
  });
});

test("the last lines arrive before the group is closed, and what they call routes is of the table in force", async (t) => {
  const backend = await backendFor(t);
  const all: Line[] = [];
  await withGroup(async (group, { lines, names }) => {
    const web = listener({ "*": [route("/*", "s", { id: "r" })] });
    const [state] = await group.apply(table([web], [service("s", [backend.port])]));
    for (let count = 0; count < 10; count++) await exchangeBytes(state!.port, GET_CLOSE);
    names.prefix = "second";
    await group.apply(table([web], [service("s", [backend.port])]));
    for (let count = 0; count < 10; count++) await exchangeBytes(state!.port, GET_CLOSE);
    await group.close({ graceMs: 100 });
    all.push(...lines);
  });
  assert.deepEqual(
    ["first web r", "second web r"].map((name) => all.filter((line) => line.name === name).length),
    [10, 10],
  );
  assert.deepEqual(all[0]!.format, {});
});

test("a table reaches every worker; an address that cannot be had is said", async (t) => {
  const backend = await backendFor(t);
  await withGroup(async (group) => {
    const services = [service("s", [backend.port])];
    const [state] = await group.apply(table([listener({ "a.test": [route("/*", "s")] })], services));
    await group.apply(table([listener({ "b.test": [route("/*", "s")] })], services));
    const statuses = new Set<string>();
    for (let count = 0; count < 20; count++) {
      statuses.add((await exchangeBytes(state!.port, GET_CLOSE)).slice(9, 12));
    }
    assert.deepEqual([...statuses], ["404"]);
    const taken = listener({}, { name: "taken", addresses: [{ host: "127.0.0.1", port: backend.port }] });
    const [failed] = await group.apply(table([taken]));
    assert.equal(failed!.error!.code, "EADDRINUSE");
  });
});

test("a TLS session that one worker has agreed on is resumed by all", async () => {
  const { certificate, key } = await (await createAuthority()).issue("a.test");
  await withGroup(async (group) => {
    const tls = { certificates: [{ hostnames: [], certificate, key }] };
    const [state] = await group.apply(table([listener({ "*": [] }, { tls })]));
    const session = await tlsSession(state!.port, {});
    for (let count = 0; count < 20; count++) assert.equal(await isResumed(state!.port, { session }), true);
  });
});

test("connections carried as they are have no number among requests, and their counters come together", async (t) => {
  const backend = await echoing(t, "x");
  await withGroup(async (group, { lines }) => {
    const [state] = await group.apply(table([streamListener(streamTo({ a: 1 }))], [tcpService("a", [backend.port])]));
    for (let count = 0; count < 20; count++) assert.equal(await exchangeEnded(state!.port, "hi"), "x:hi");
    await until(() => lines.length === 20);
    assert.equal((await group.stats()).streams.s!.connections, 20);
    assert.deepEqual(new Set(lines.map(({ requestCount }) => requestCount)), new Set([0]));
    assert.equal((await group.stats()).streamServices.a!.sent, 20 * 4);
  });
});

test("datagrams reach one worker or the other, each client always the same", async (t) => {
  const endpoint = createSocket("udp4").bind(0, "127.0.0.1");
  await once(endpoint, "listening");
  endpoint.on("message", (bytes, { port }) => endpoint.send(`${port} ${String(bytes)}`, port, "127.0.0.1"));
  t.after(() => endpoint.close());
  const endpoints = [{ host: "127.0.0.1", port: endpoint.address().port }];
  await withGroup(async (group) => {
    const udp = streamListener(streamTo({ a: 1 }), { transport: "udp" });
    const [state] = await group.apply(table([udp], [{ id: "a", protocol: "udp", endpoints }]));
    for (let count = 0; count < 10; count++) {
      const client = createSocket("udp4").bind(0, "127.0.0.1");
      const answers = new Set<string>();
      for (let turn = 0; turn < 3; turn++) {
        client.send("x", state!.port, "127.0.0.1");
        answers.add(String((await once(client, "message"))[0]));
      }
      assert.equal(answers.size, 1);
      client.close();
    }
    const { datagramsSent, connections } = (await group.stats()).streams.s!;
    assert.deepEqual([datagramsSent, connections], [30, 10]);
  });
});

/** What comes back for `text` and a FIN. */
async function exchangeEnded(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(text);
  return received(socket);
}

const skip = existsSync(`/proc/self/task/${process.pid}/children`) ? false : "finding child processes needs /proc";

test(
  "a worker that dies is replaced, nobody is refused meanwhile, and no request's number is given twice",
  { skip },
  async (t) => {
    const backend = await backendFor(t);
    await withGroup(async (group, { log, lines }) => {
      const [state] = await group.apply(table([listener({ "*": [route("/*", "s")] })], [service("s", [backend.port])]));
      for (let count = 0; count < 10; count++) await exchangeBytes(state!.port, GET_CLOSE);
      await until(() => lines.length === 10);
      assert.equal((await group.stats()).requests, 10);
      const [victim] = workerPids();
      process.kill(victim!, "SIGKILL");
      await until(() => log.some((line) => line.includes("a worker of the proxy ended (SIGKILL)")));
      for (let count = 0; count < 20; count++)
        assert.match(await exchangeBytes(state!.port, GET_CLOSE), /^HTTP\/1\.1 200 /);
      await until(() => workerPids().length === 2 && !workerPids().includes(victim!));
      await group.apply(table([listener({ "*": [route("/*", "s")] })], [service("s", [backend.port])]));
      for (let count = 0; count < 20; count++)
        assert.match(await exchangeBytes(state!.port, GET_CLOSE), /^HTTP\/1\.1 200 /);
      await until(() => lines.length === 50);
      // What was said once is not taken back.
      assert.equal((await group.stats()).requests, 50);
      assert.equal(new Set(lines.map(({ requestCount }) => requestCount)).size, 50);
    });
    await until(() => workerPids().length === 0);
  },
);

test("whoever waits to be accepted by a worker that dies is accepted by the next", { skip }, async (t) => {
  const backend = await backendFor(t);
  await withGroup(async (group, { log }) => {
    const [state] = await group.apply(table([listener({ "*": [route("/*", "s")] })], [service("s", [backend.port])]));
    const [victim] = workerPids();
    process.kill(victim!, "SIGSTOP");
    // The system shares them out by their ports: some wait in the queue of the one that does not run.
    const clients = Array.from({ length: 40 }, () => new RawClient(state!.port).send(GET_CLOSE));
    await until(() => clients.filter(({ ended }) => ended).length > 0);
    process.kill(victim!, "SIGKILL");
    for (const client of clients) assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 /);
    assert.equal(log.length, 1);
    // An address that is gone is gone at every worker, and may be had again.
    const again = table([listener({ "*": [route("/*", "s")] })], [service("s", [backend.port])]);
    await group.apply(table([]));
    for (let count = 0; count < 20; count++)
      assert.equal(await ending(connect(state!.port, "127.0.0.1")), "ECONNREFUSED");
    const [back] = await group.apply(again);
    for (let count = 0; count < 20; count++) assert.match(await exchangeBytes(back!.port, GET_CLOSE), /hello$/);
  });
});

describe("a worker that hangs", { skip }, () => {
  it("is killed and replaced, said in one line, and what waits for it goes on", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const backend = await backendFor(t);
    await withGroup(
      async (group, { log }) => {
        const services = [service("s", [backend.port])];
        const [state] = await group.apply(table([listener({ "*": [route("/*", "s")] })], services));
        const [victim] = workerPids();
        process.kill(victim!, "SIGSTOP");
        const client = new RawClient(state!.port).send(GET_CLOSE);
        const applied = group.apply(table([listener({ "a.test": [route("/*", "s")] })], services));
        for (let asked = 0; asked < 3; asked++) t.mock.timers.tick(5_000);
        assert.deepEqual(log, []);
        t.mock.timers.tick(5_000);
        await applied;
        // Whoever waited in its queue is accepted by its successor, which has the new table.
        assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 /);
        assert.equal(workerPids().includes(victim!), false);
        const other = GET_CLOSE.replace("a.test", "b.test");
        assert.match(await exchangeBytes(state!.port, other), /^HTTP\/1\.1 404 /);
        assert.deepEqual(log, [
          "a worker of the proxy has not answered for 15 s: it is killed, and another takes its place",
        ]);
      },
      { workers: 1 },
    );
  });

  it("is not one that answers, however long", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    await withGroup(
      async (group, { log }) => {
        await group.apply(table([]));
        const [pid] = workerPids();
        for (let asked = 0; asked < 10; asked++) {
          t.mock.timers.tick(5_000);
          // Answered after the ping.
          await group.stats();
        }
        assert.deepEqual(workerPids(), [pid]);
        assert.deepEqual(log, []);
      },
      { workers: 1 },
    );
  });

  it("keeps a table from nobody else", async (t) => {
    const backend = await backendFor(t);
    await withGroup(async (group) => {
      const services = [service("s", [backend.port])];
      const [state] = await group.apply(table([listener({ "*": [] })], services));
      const [victim] = workerPids();
      process.kill(victim!, "SIGSTOP");
      let settled = false;
      const applied: Promise<unknown>[] = [];
      for (const host of ["b.test", "a.test"]) {
        const next = group.apply(table([listener({ [host]: [route("/*", "s")] })], services));
        applied.push(next.then(() => (settled = true)));
      }
      // The system shares connections out by their ports.
      const clients: RawClient[] = [];
      await until(() => {
        clients.push(new RawClient(state!.port).send(GET_CLOSE));
        return clients.some(({ received }) => received.startsWith("HTTP/1.1 200 "));
      });
      assert.equal(settled, false);
      process.kill(victim!, "SIGCONT");
      await Promise.all(applied);
      for (const client of clients) client.destroy();
    });
  });
});

/** Child processes of this one that run. */
function workerPids(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean);
  return children.map(Number).filter((pid) => {
    try {
      // A zombie's command line is empty.
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("worker-program");
    } catch {
      return false;
    }
  });
}

test("what a table has in common with the one before arrives as the same objects", () => {
  const [encoder, decoder] = [new TableEncoder(), new TableDecoder()];
  const host = (name: string) => ({ hostname: name, routes: [route(`/${name}*`, "s")] });
  const [a, b] = [host("a.test"), host("b.test")];
  const s = service("s", [80]);
  const tableOf = (virtualHosts: (typeof a)[]) => ({
    listeners: [{ name: "web", addresses: [], servers: [{ hostname: "*", virtualHosts }] }],
    services: [s],
  });
  // Through the wire's own copy, as between processes.
  const carry = (each: ReturnType<typeof tableOf>) => decoder.decode(structuredClone(encoder.encode(each)));
  const first = carry(tableOf([a, b]));
  assert.deepEqual(first, tableOf([a, b]));
  const c = host("c.test");
  const second = carry(tableOf([a, c]));
  assert.deepEqual(second, tableOf([a, c]));
  const hosts = (each: typeof first) => each.listeners[0]!.servers[0]!.virtualHosts;
  assert.equal(hosts(second)[0], hosts(first)[0]);
  assert.equal(second.services[0], first.services[0]);
  // Forgotten on both sides meanwhile, it is sent again.
  assert.deepEqual(carry(tableOf([b])), tableOf([b]));
});
