// Endpoints that come, go, refuse, die and hang; tables that change under load. Nobody who could be served may notice.

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { createProxy } from "./proxy.ts";
import type { AccessRecord, Proxy } from "./proxy.ts";
import type { Limits } from "./limits.ts";
import type { Route, Service } from "./routing-table.ts";
import { answering, exchangeBytes, ok, RawClient, startBackend } from "./testing/sockets.ts";
import type { Backend } from "./testing/sockets.ts";
import { listener, route, service, table } from "./testing/tables.ts";

const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const GET_CLOSE = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";

interface Setup {
  port: number;
  proxy: Proxy;
  records: AccessRecord[];
}

async function withProxy(
  services: Service[],
  run: (setup: Setup) => Promise<void>,
  more: { route?: Partial<Route>; limits?: Partial<Limits> } = {},
): Promise<void> {
  const records: AccessRecord[] = [];
  const proxy = createProxy({ onAccess: (record) => records.push(record), limits: more.limits ?? {} });
  const ids = services.map((each) => each.id);
  const [state] = await proxy.apply(
    table([listener({ "*": [route("/*", ids, { id: "r", ...more.route })] })], services),
  );
  try {
    await run({ port: state!.port, proxy, records });
  } finally {
    await proxy.close({ graceMs: 0 });
  }
}

/** Sends `count` requests one after another on one connection and returns the bodies. */
async function inTurn(port: number, count: number): Promise<string[]> {
  const client = new RawClient(port);
  const bodies: string[] = [];
  for (let done = 0; done < count; done++) {
    client.received = "";
    client.send(GET);
    const answer = await client.until((received) => /\r\n\r\n./.test(received));
    assert.match(answer, /^HTTP\/1\.1 200 /);
    bodies.push(answer.split("\r\n\r\n")[1]!);
  }
  client.destroy();
  return bodies;
}

/** A port nobody listens on. */
async function closedPort(): Promise<number> {
  const backend = await answering(ok(""));
  await backend.close();
  return backend.port;
}

async function closeAll(...backends: Backend[]): Promise<void> {
  for (const backend of backends) await backend.close();
}

describe("balancing", () => {
  it("alternates strictly between endpoints", async () => {
    const [a, b] = [await answering(ok("A")), await answering(ok("B"))];
    await withProxy([service("s", [a.port, b.port])], async ({ port }) => {
      assert.equal((await inTurn(port, 8)).join(""), "ABABABAB");
      assert.equal((await inTurn(port, 3)).join(""), "ABA");
      assert.equal((await inTurn(port, 1)).join(""), "B");
    });
    await closeAll(a, b);
  });

  it("keeps its place over a table swap", async () => {
    const [a, b] = [await answering(ok("A")), await answering(ok("B"))];
    const proxy = createProxy();
    const services = [service("s", [a.port, b.port])];
    const fresh = () => table([listener({ "*": [route("/*", "s", { id: "r" })] })], services);
    const [state] = await proxy.apply(fresh());
    assert.equal((await inTurn(state!.port, 1)).join(""), "A");
    await proxy.apply(fresh());
    assert.equal((await inTurn(state!.port, 3)).join(""), "BAB");
    await proxy.close({ graceMs: 0 });
    await closeAll(a, b);
  });

  it("meets weights exactly, with the status of unusable shares", async () => {
    const [a, b] = [await answering(ok("A")), await answering(ok("B"))];
    const backends = [
      { service: "a", weight: 3, filters: [] },
      { service: "b", weight: 1, filters: [] },
      { service: "b", weight: 0, filters: [] },
      { status: 500, reason: "Service demo/x not found", weight: 1, filters: [] },
    ];
    const action = { type: "forward" as const, backends };
    await withProxy(
      [service("a", [a.port]), service("b", [b.port])],
      async ({ port, records }) => {
        const answers: string[] = [];
        for (let done = 0; done < 10; done++) answers.push((await exchangeBytes(port, GET_CLOSE)).slice(9));
        const count = (start: RegExp): number => answers.filter((answer) => start.test(answer)).length;
        assert.deepEqual([count(/A$/), count(/B$/), count(/^500 /)], [6, 2, 2]);
        assert.ok(records.some((record) => record.reason === "Service demo/x not found"));
      },
      { route: { action } },
    );
    await closeAll(a, b);
  });

  it("answers 503 without ready endpoints, 500 without weight", async () => {
    await withProxy([service("s", [])], async ({ port, records }) => {
      assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 503 Service Unavailable\r\n/);
      assert.equal(records[0]!.reason, "no-ready-endpoint");
    });
    const action = { type: "forward" as const, backends: [{ service: "s", weight: 0, filters: [] }] };
    await withProxy(
      [service("s", [1])],
      async ({ port }) => assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 500 /),
      { route: { action } },
    );
  });
});

describe("failing endpoints", () => {
  it("that refuse are passed over, for any method", async () => {
    const backend = await answering(ok("A"));
    await withProxy([service("s", [await closedPort(), backend.port])], async ({ port, proxy, records }) => {
      const post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      assert.match(await exchangeBytes(port, post), /^HTTP\/1\.1 200 /);
      assert.equal(records[0]!.retries, 1);
      assert.equal((await inTurn(port, 4)).join(""), "AAAA");
      const failures = Object.values(proxy.stats().endpoints).map((counters) => counters.connectFailures);
      assert.deepEqual(failures.toSorted(), [0, 1], "skipped while it is known to refuse");
    });
    await backend.close();
  });

  it("that all refuse answer 502, and work again as soon as one listens", async () => {
    const port = await closedPort();
    await withProxy([service("s", [port])], async (setup) => {
      assert.match(await exchangeBytes(setup.port, GET_CLOSE), /^HTTP\/1\.1 502 Bad Gateway\r\n/);
      assert.equal(setup.records[0]!.reason, "connect-econnrefused");
      const backend = await startBackend((socket) => socket.write(ok("back")), port);
      assert.match(await exchangeBytes(setup.port, GET_CLOSE), /back$/);
      await backend.close();
    });
  });

  it("killed under load lose no GET", async () => {
    const [a, b] = [await answering(ok("A")), await answering(ok("B"))];
    await withProxy([service("s", [a.port, b.port])], async ({ port }) => {
      const loads = Promise.all(Array.from({ length: 8 }, () => inTurn(port, 60)));
      await inTurn(port, 5);
      await a.close();
      const bodies = (await loads).flat();
      assert.equal(bodies.length, 480);
      assert.equal((await inTurn(port, 4)).join(""), "BBBB");
    });
    await b.close();
  });

  it("that closed a kept connection: an idempotent request is repeated", async () => {
    // Every connection dies when its second request arrives: what a restart or an idle close in flight looks like.
    const backend = await startBackend((socket, received) => {
      if (received.split("\r\n\r\n").length > 2) socket.destroy();
      else if (received.endsWith("\r\n\r\n") || received.endsWith("x")) socket.write(ok("A"));
    });
    await withProxy([service("s", [backend.port])], async ({ port, records }) => {
      assert.equal((await inTurn(port, 2)).join(""), "AA");
      assert.equal(records[1]!.retries, 1);
      const post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx";
      const answer = await exchangeBytes(port, post);
      assert.match(answer, /^HTTP\/1\.1 502 /, "a POST may have been acted on");
    });
    await backend.close();
  });

  it("that die before answering, always: 502 after bounded attempts", async () => {
    let requests = 0;
    const backend = await startBackend((socket) => {
      requests++;
      socket.destroy();
    });
    await withProxy([service("s", [backend.port])], async ({ port, records }) => {
      assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 502 /);
      assert.equal(requests, 3);
      assert.match(records[0]!.reason, /^backend-/);
    });
    await backend.close();
  });

  for (const [name, head] of [
    ["a length", "Content-Length: 10\r\n\r\nabc"],
    ["chunks", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
  ] as const) {
    it(`that die in the middle of an answer with ${name} break it off for the client too`, async () => {
      const backend = await startBackend((socket) => socket.end(`HTTP/1.1 200 OK\r\n${head}`));
      await withProxy([service("s", [backend.port])], async ({ port, records }) => {
        const got = await exchangeBytes(port, GET);
        assert.doesNotMatch(got, /\r\n0\r\n/);
        assert.deepEqual([records[0]!.status, records[0]!.reason], [200, "backend-closed-mid-response"]);
      });
      await backend.close();
    });
  }

  it("that send what nobody asked for lose the connection, not the next request", async () => {
    const backend = await answering(ok("A") + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    await withProxy([service("s", [backend.port])], async ({ port }) => {
      assert.equal((await inTurn(port, 3)).join(""), "AAA");
    });
    await backend.close();
  });

  it("that hang: 504 after the attempt's or the request's time", async () => {
    const backend = await startBackend(() => {});
    for (const [timeouts, reason] of [
      [{ backendRequest: 60 }, "backend-request-timeout"],
      [{ request: 60 }, "request-timeout"],
    ] as const) {
      await withProxy(
        [service("s", [backend.port])],
        async ({ port, records }) => {
          assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 504 Gateway Timeout\r\n/);
          assert.equal(records[0]!.reason, reason);
        },
        { route: { timeouts } },
      );
    }
    await backend.close();
  });

  it("that hang after the head are broken off by the request's time", async () => {
    const backend = await startBackend((socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"));
    await withProxy(
      [service("s", [backend.port])],
      async ({ port, records }) => {
        assert.match(await exchangeBytes(port, GET), /ab$/);
        assert.equal(records[0]!.reason, "request-timeout");
      },
      { route: { timeouts: { request: 60 } } },
    );
    await backend.close();
  });
});

describe("clients", () => {
  it("that leave abort the backend's work", async () => {
    const backend = await startBackend(() => {});
    await withProxy([service("s", [backend.port])], async ({ port, records, proxy }) => {
      const client = new RawClient(port).send(GET);
      const [socket] = (await once(backend.server, "connection")) as [import("node:net").Socket];
      await once(socket, "data");
      client.destroy();
      await once(socket, "close");
      assert.deepEqual([records[0]!.status, records[0]!.reason], [499, "client-closed-connection"]);
      assert.equal(proxy.stats().services["s"]!.active, 0);
    });
    await backend.close();
  });

  it("that never finish a head get 408; idle ones are closed silently", async () => {
    const limits = { headTimeout: 60, keepAliveTimeout: 60 };
    await withProxy(
      [service("s", [])],
      async ({ port }) => {
        assert.match(await exchangeBytes(port, "GET / HTTP/1.1\r\nHo"), /^HTTP\/1\.1 408 Request Timeout\r\n/);
        assert.equal(await exchangeBytes(port, ""), "");
      },
      { limits },
    );
  });

  it("that stall in a body get 408 and the backend is let go", async () => {
    const backend = await startBackend(() => {});
    await withProxy(
      [service("s", [backend.port])],
      async ({ port }) => {
        const closed = once(backend.server, "connection").then(([socket]) => once(socket, "close"));
        const answer = await exchangeBytes(port, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nab");
        assert.match(answer, /^HTTP\/1\.1 408 /);
        await closed;
      },
      { limits: { stallTimeout: 60 } },
    );
    await backend.close();
  });
});

describe("table swaps", () => {
  it("under load fail nothing and take effect at once", async () => {
    const [a, b] = [await answering(ok("A")), await answering(ok("B"))];
    const proxy = createProxy();
    const pointing = (backend: Backend) =>
      table([listener({ "*": [route("/*", "s", { id: "r" })] })], [service("s", [backend.port])]);
    const [state] = await proxy.apply(pointing(a));
    const port = state!.port;
    const loads = Promise.all(Array.from({ length: 6 }, () => inTurn(port, 100)));
    for (let swap = 0; swap < 40; swap++) {
      const [backend, letter] = swap % 2 === 0 ? [b, "B"] : [a, "A"];
      void proxy.apply(pointing(backend!));
      assert.equal((await inTurn(port, 1)).join(""), letter);
    }
    assert.equal((await loads).flat().length, 600);
    await proxy.close({ graceMs: 0 });
    await closeAll(a, b);
  });

  it("let requests under way finish on the endpoint that was removed, and close its idle connections", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.includes("/quick")) socket.write(ok("quick"));
    });
    const proxy = createProxy();
    const full = table([listener({ "*": [route("/*", "s", { id: "r" })] })], [service("s", [backend.port])]);
    const [state] = await proxy.apply(full);
    const quick = "GET /quick HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
    const client = new RawClient(state!.port).send("GET /slow HTTP/1.1\r\nHost: a.test\r\n\r\n");
    const [slow] = (await once(backend.server, "connection")) as [import("node:net").Socket];
    await once(slow, "data");
    assert.match(await exchangeBytes(state!.port, quick), /quick$/);
    const idle = [...backend.sockets].find((socket) => socket !== slow)!;
    const idleClosed = once(idle, "close");
    await proxy.apply({ ...full, services: { s: service("s", []) } });
    await idleClosed;
    slow.write(ok("slow but sure"));
    await client.until((received) => received.endsWith("slow but sure"));
    await once(slow, "close");
    client.destroy();
    await proxy.close({ graceMs: 0 });
    await backend.close();
  });
});

describe("listeners", () => {
  it("report each address, and one that cannot be had keeps none from opening", async () => {
    const taken = await startBackend(() => {});
    const proxy = createProxy();
    const addresses = [
      { host: "127.0.0.1", port: taken.port },
      { host: "127.0.0.1", port: 0 },
    ];
    const states = await proxy.apply(table([listener({ "*": [] }, { addresses })]));
    assert.deepEqual(
      states.map((state) => state.error?.code),
      ["EADDRINUSE", undefined],
    );
    assert.match(await exchangeBytes(states[1]!.port, GET_CLOSE), /^HTTP\/1\.1 404 /);
    await taken.close();
    const again = await proxy.apply(table([listener({ "*": [] }, { addresses })]));
    assert.deepEqual(
      again.map((state) => [state.error, state.port]),
      [
        [undefined, taken.port],
        [undefined, states[1]!.port],
      ],
    );
    await proxy.close({ graceMs: 0 });
  });

  it("that are unchanged keep their connections; gone ones close idle connections and stop accepting", async () => {
    const proxy = createProxy();
    const two = [listener({ "*": [] }, { name: "one" }), listener({ "*": [] }, { name: "two" })];
    const states = await proxy.apply(table(two));
    const clients = states.map((state) => new RawClient(state.port).send(GET));
    for (const client of clients) await client.until((received) => received.includes("404 page not found\n"));
    const kept = await proxy.apply(table(two.slice(0, 1)));
    assert.equal(kept[0]!.port, states[0]!.port);
    await clients[1]!.untilEnd();
    clients[0]!.received = "";
    clients[0]!.send(GET);
    await clients[0]!.until((received) => received.includes("404 page not found\n"));
    const refused = new RawClient(states[1]!.port);
    await refused.untilEnd();
    assert.equal(refused.received, "");
    clients[0]!.destroy();
    await proxy.close({ graceMs: 0 });
  });

  it("close in order: the request under way is answered with Connection: close", async () => {
    const backend = await startBackend(() => {});
    const proxy = createProxy();
    const routes = { "*": [route("/*", "s", { id: "r" })] };
    const [state] = await proxy.apply(table([listener(routes)], [service("s", [backend.port])]));
    const client = new RawClient(state!.port).send(GET);
    const [socket] = (await once(backend.server, "connection")) as [import("node:net").Socket];
    await once(socket, "data");
    const closed = proxy.close({ graceMs: 5_000 });
    socket.write(ok("last"));
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n[^]*last$/);
    await closed;
    await backend.close();
  });

  it("close within the bound when a request does not end", async () => {
    const backend = await startBackend(() => {});
    const proxy = createProxy();
    const routes = { "*": [route("/*", "s", { id: "r" })] };
    const [state] = await proxy.apply(table([listener(routes)], [service("s", [backend.port])]));
    const client = new RawClient(state!.port).send(GET);
    await once(backend.server, "connection");
    await proxy.close({ graceMs: 30 });
    assert.equal(await client.untilEnd(), "");
    await backend.close();
  });
});
