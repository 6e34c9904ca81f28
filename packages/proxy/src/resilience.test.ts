// Endpoints that refuse, die and hang; clients that leave or stall. Nobody who could be served may notice.

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import {
  accepted,
  answering,
  closedPort,
  exchangeBytes,
  GET,
  GET_CLOSE,
  inTurn,
  ok,
  RawClient,
  startBackend,
} from "./testing/sockets.ts";
import type { Backend } from "./testing/sockets.ts";
import { listener, route, service, table } from "./testing/tables.ts";
import { variantProxy } from "./testing/variant.ts";
import { withProxy } from "./testing/with-proxy.ts";

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
    const proxy = variantProxy();
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

  it("refuses services whose protocol it does not speak", async () => {
    await withProxy([{ ...service("s", [1]), protocol: "tcp" }], async ({ port, records }) => {
      assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 500 /);
      assert.equal(records[0]!.reason, "protocol-not-supported: tcp");
    });
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
      assert.deepEqual(
        failures.toSorted((a, b) => a - b),
        [0, 1],
        "skipped while it is known to refuse",
      );
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
      const socket = await accepted(backend);
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
