// Peers that die at any byte, hang, or take all there is: whoever can be served is, nobody gets half an answer for a whole one, and
// nothing is left behind.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import type { Limits } from "./limits.ts";
import type { ProxyProcessOptions, Reply } from "./testing/proxy-process.ts";
import { answering, exchangeBytes, GET, GET_CLOSE, ok, RawClient, startBackend } from "./testing/sockets.ts";
import { eventually } from "./testing/streams.ts";
import { service } from "./testing/tables.ts";
import { variant } from "./testing/variant.ts";
import { withProxy } from "./testing/with-proxy.ts";

const BODY = "hello";
const ANSWERS: [name: string, answer: string, whole: (body: string) => boolean][] = [
  ["with a length", ok(BODY), (body) => body === BODY],
  [
    "in chunks",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
    (body) => body.includes("\r\n0\r\n"),
  ],
  ["after an interim one", `HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n${ok(BODY)}`, (body) => body === BODY],
];

describe("a backend that dies at any byte of its answer", () => {
  for (const [name, answer, isWhole] of ANSWERS) {
    for (const how of ["FIN", "RST"] as const) {
      it(`${name}, by ${how}: the answer, a 502 or an end that can be seen`, async () => {
        let cut = 0;
        const backend = await startBackend((socket, received) => {
          if (!received.endsWith("\r\n\r\n")) return;
          socket.write(answer.slice(0, cut), "latin1", () => (how === "FIN" ? socket.end() : socket.resetAndDestroy()));
        });
        await withProxy([service("s", [backend.port])], async ({ port, proxy }) => {
          for (cut = 0; cut <= answer.length; cut++) {
            const client = new RawClient(port).send(GET);
            const done = (received: string): boolean => {
              const final = received.replace(/^HTTP\/1\.1 103[^]*?\r\n\r\n/, "");
              const [head, body] = final.split(/\r\n\r\n([^]*)/);
              return body !== undefined && (head!.startsWith("HTTP/1.1 502") || isWhole(body));
            };
            while (!client.ended && !client.closed && !done(client.received))
              await Promise.race([once(client.socket, "data"), once(client.socket, "close")]);
            const complete = done(client.received) && !client.received.includes("HTTP/1.1 502");
            // A reset may overtake what was sent before it.
            if (how === "FIN") assert.equal(complete, cut === answer.length, `${cut} bytes: ${client.received}`);
            else if (complete) assert.equal(cut, answer.length);
            client.destroy();
          }
          await eventually(() => proxy.stats().listeners["web"]!.connectionsOpen === 0);
          const { active } = proxy.stats().services["s"]!;
          const [endpoint] = Object.values(proxy.stats().endpoints);
          assert.deepEqual([active, endpoint!.active, endpoint!.connectionsOpen], [0, 0, endpoint!.connectionsIdle]);
        });
        await backend.close();
      });
    }
  }
});

describe("a client that dies at any byte of its request", () => {
  it("leaves nothing behind, and half a head is never sent on", async () => {
    const request =
      "POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n";
    const backend = await startBackend(() => {});
    await withProxy([service("s", [backend.port])], async ({ port, proxy, records }) => {
      for (let cut = 0; cut <= request.length; cut++) {
        const client = new RawClient(port).send(request.slice(0, cut));
        await once(client.socket, variant.tls === null ? "connect" : "secureConnect");
        if (cut % 2 === 0) client.socket.end();
        else client.destroy();
        await client.untilEnd();
        client.destroy();
      }
      const { listeners } = proxy.stats();
      assert.ok(listeners["web"] !== undefined);
      await eventually(() => {
        const { connectionsOpen, active } = proxy.stats().listeners["web"]!;
        return connectionsOpen === 0 && active === 0 && backend.sockets.size === 0;
      });
      assert.ok(records.every(({ status }) => status === 499));
      // A connection that was being made when the client left carries nothing.
      for (const received of backend.received.filter(Boolean))
        assert.match(received, /^POST \/x HTTP\/1\.1\r\n[^]*\r\n\r\n/);
      const whole = backend.received.filter((received) => received.includes("\r\n0\r\n"));
      assert.ok(whole.length <= 2, "a body that was not whole does not look so");
    });
    await backend.close();
  });
});

/** A listening port whose accept queue is full: connecting to it neither succeeds nor fails. */
async function blackHole(): Promise<{ port: number; close: () => void }> {
  const script =
    "const s=require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},()=>process.send(s.address().port))";
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const [port] = (await once(child, "message")) as [number];
  child.kill("SIGSTOP");
  const fillers: Socket[] = [];
  for (let more = 0; more < 16; more++) fillers.push(connect(port, "127.0.0.1").on("error", () => {}));
  const close = (): void => {
    for (const filler of fillers) filler.destroy();
    child.kill("SIGKILL");
  };
  await once(fillers[0]!, "connect");
  await once(fillers[1]!, "connect");
  return { port, close };
}

describe("an endpoint whose accept queue is full", () => {
  const limits = { connectTimeout: 200 };

  it("is given up in time: 504 alone, passed over beside another", async (test) => {
    const hole = await blackHole();
    test.after(hole.close);
    await withProxy(
      [service("s", [hole.port])],
      async ({ port, records }) => {
        assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 504 /);
        assert.equal(records[0]!.reason, "connect-timeout");
      },
      { limits },
    );
    const backend = await answering(ok("A"));
    await withProxy(
      [service("s", [hole.port, backend.port])],
      async ({ port, records }) => {
        const post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        for (let each = 0; each < 4; each++) assert.match(await exchangeBytes(port, post), /A$/);
        assert.equal(
          records.reduce((sum, { retries }) => sum + retries, 0),
          1,
        );
      },
      { limits: { ...limits, unhealthyTimeout: 60_000 } },
    );
    await backend.close();
  });
});

describe("slow clients", () => {
  it("of a head: time counts from its first byte, however steadily they send", async () => {
    await withProxy(
      [service("s", [])],
      async ({ port }) => {
        const client = new RawClient(port).send("GET / HTTP/1.1\r\nHost: a.test\r\nX: ");
        while (!client.ended && !client.closed && client.received === "") {
          client.send("x");
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        assert.match(client.received, /^HTTP\/1\.1 408 /);
        client.destroy();
      },
      { limits: { headTimeout: 100 } },
    );
  });

  it("of an answer: given up after a while, and the backend let go", async () => {
    const backend = await startBackend((socket) => socket.write(ok("x".repeat(32 * 1024 * 1024))));
    await withProxy(
      [service("s", [backend.port])],
      async ({ port, records, proxy }) => {
        const client = new RawClient(port);
        client.socket.pause();
        client.send(GET);
        await eventually(() => records.length === 1 && backend.sockets.size === 0);
        assert.deepEqual([records[0]!.status, records[0]!.reason], [200, "client-stalled"]);
        await eventually(() => proxy.stats().listeners["web"]!.connectionsOpen === 0);
        client.destroy();
      },
      { limits: { stallTimeout: 200 } },
    );
    await backend.close();
  });
});

interface ProxyProcess {
  port: number;
  child: ChildProcess;
  ask: () => Promise<Required<Omit<Reply, "port">>>;
}

/** A proxy in a process of its own, with at most so many descriptors. */
async function proxyProcess(
  backends: number[],
  descriptors = 4096,
  limits: Partial<Limits> = {},
): Promise<ProxyProcess> {
  const options: ProxyProcessOptions = { io: variant.io, backends, limits };
  const script = new URL("./testing/proxy-process.ts", import.meta.url).pathname;
  const node = `ulimit -n ${descriptors}; exec "$0" --disable-warning=ExperimentalWarning --expose-gc "$@"`;
  const child = spawn("/bin/sh", ["-c", node, process.execPath, script, JSON.stringify(options)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const replies: ((reply: Reply) => void)[] = [];
  child.once("exit", (code) => code !== null && assert.fail(`the proxy's process ended with ${code}`));
  child.on("message", (reply: Reply) => replies.shift()!(reply));
  const reply = (): Promise<Reply> => new Promise((resolve) => replies.push(resolve));
  const { port } = await reply();
  const ask = (): ReturnType<ProxyProcess["ask"]> => {
    child.send("");
    return reply() as ReturnType<ProxyProcess["ask"]>;
  };
  return { port: port!, child, ask };
}

describe("a process of its own", { skip: variant.tls !== null && "the same with and without TLS" }, () => {
  it("with few descriptors left turns further clients away, says so, and accepts again when it has some", async (test) => {
    const backend = await startBackend((socket, received) => {
      const [last = ""] = received.split("\r\n\r\n").slice(-2);
      if (received.endsWith("\r\n\r\n") && !last.startsWith("GET /hold")) socket.write(ok("A"));
    });
    test.after(() => backend.close());
    const { port, child, ask } = await proxyProcess([backend.port], 48);
    test.after(() => child.kill());
    const first = new RawClient(port).send(GET);
    await first.until((received) => received.endsWith("A"));
    assert.deepEqual((await ask()).log, []);
    const flood = Array.from({ length: 120 }, () => new RawClient(port));
    const turnedAway = (): number => flood.filter(({ ended, closed }) => ended || closed).length;
    while (turnedAway() + (await ask()).open !== flood.length + 1 || turnedAway() === 0);
    const { log } = await ask();
    assert.match(
      log[0]!,
      /^listener 127\.0\.0\.1:\d+: no file descriptors left for further clients, 1 connection was closed: raise the limit of 48 \(ulimit -n\)$/,
    );
    // There is room for those who are in: a connection to the backend of its own for one of them, while another holds the first.
    const [holding, other] = flood.filter(({ ended, closed }) => !ended && !closed);
    holding!.send(GET.replace("/", "/hold"));
    await eventually(() => backend.received[0]!.includes("/hold"));
    assert.match(await other!.send(GET).until((received) => received.endsWith("A")), /^HTTP\/1\.1 200 /);
    backend.sockets.forEach((socket) => socket.write(ok("A")));
    await holding!.until((received) => received.endsWith("A"));
    first.received = "";
    await first.send(GET).until((received) => received.endsWith("A"));
    for (const client of flood) client.destroy();
    while ((await ask()).open > 1);
    assert.match(await exchangeBytes(port, GET_CLOSE), /A$/);
    first.received = "";
    await first.send(GET).until((received) => received.endsWith("A"));
    assert.equal(child.exitCode, null);
    first.destroy();
  });

  it("keeps thousands of idle connections in little memory, and serves them all", async (test) => {
    const backend = await answering(ok("A"));
    test.after(() => backend.close());
    const { port, child, ask } = await proxyProcess([backend.port]);
    test.after(() => child.kill());
    const count = 2000;
    const clients = Array.from({ length: 50 }, () => new RawClient(port));
    const ready = (all: RawClient[]): Promise<unknown> =>
      Promise.all(all.map((client) => client.send(GET).until((received) => received.endsWith("A"))));
    await ready(clients);
    const before = (await ask()).heap;
    while (clients.length < count) {
      const more = Array.from({ length: 50 }, () => new RawClient(port));
      await ready(more);
      clients.push(...more);
    }
    const after = await ask();
    assert.equal(after.open, count);
    const each = (after.heap - before) / (count - 50);
    assert.ok(each < 8 * 1024, `${each.toFixed(0)} bytes of heap for an idle connection`);
    for (const client of clients) client.received = "";
    await ready(clients);
    for (const client of clients) client.destroy();
    while ((await ask()).open > 0);
  });

  it("holds no large memory for clients that ask again before they were answered", async (test) => {
    const backend = await startBackend((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write(ok("A"));
    });
    test.after(() => backend.close());
    const { port, child, ask } = await proxyProcess([backend.port]);
    test.after(() => child.kill());
    const round = async (): Promise<RawClient[]> => {
      const clients = Array.from({ length: 80 }, () => new RawClient(port));
      const answered = (received: string): boolean => received.split("\r\n\r\nA").length > 3;
      await Promise.all(clients.map((client) => client.send(GET.repeat(3)).until(answered)));
      return clients;
    };
    for (const client of await round()) client.destroy();
    while ((await ask()).open > 0);
    const before = (await ask()).heap;
    const clients = await round();
    const more = (await ask()).heap - before;
    assert.ok(more < 8 * 1024 * 1024, `${more} bytes more for 80 clients`);
    for (const client of clients) client.destroy();
  });

  it("needs no more memory after many requests than after some", async (test) => {
    const backend = await startBackend((socket, received) => {
      if (received.endsWith("/die HTTP/1.1\r\n")) socket.destroy();
      else if (received.endsWith("\r\n\r\n") || received.endsWith("xyz")) socket.write(ok("y".repeat(2000)));
    });
    test.after(() => backend.close());
    const { port, child, ask } = await proxyProcess([backend.port]);
    test.after(() => child.kill());
    const requests = [
      GET,
      `POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nxyz`,
      `POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n`,
      "GET /\0 HTTP/1.1\r\n\r\n",
    ];
    const round = async (): Promise<void> => {
      const one = async (index: number): Promise<void> => {
        const client = new RawClient(port);
        for (let each = 0; each < 20; each++) {
          client.received = "";
          const last = index % 4 === 0 && each === 19;
          client.send(requests[last ? 3 : each % 3]!);
          await (last ? client.untilEnd() : client.until((received) => received.endsWith("y".repeat(2000))));
        }
        if (index % 3 === 0) client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\nhalf");
        client.destroy();
      };
      await Promise.all(Array.from({ length: 40 }, (_, index) => one(index)));
      for (const [index] of backend.received.entries()) backend.received[index] = "";
    };
    for (let warm = 0; warm < 4; warm++) await round();
    const before = (await ask()).heap;
    for (let more = 0; more < 8; more++) await round();
    const after = (await ask()).heap;
    assert.ok(after - before < 1024 * 1024, `${after - before} bytes more after 6,400 requests`);
  });
});
