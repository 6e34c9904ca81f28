// Mirrors get what the backend gets; the client and the backend never notice them, whatever they do.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import type { Filter, Mirror } from "../routing-table.ts";
import type { MirrorCounters } from "../stats.ts";
import { answerWith, startHttpBackend } from "../testing/http-backend.ts";
import type { HttpBackend } from "../testing/http-backend.ts";
import { closedPort, exchangeBytes, GET_CLOSE, RawClient, startBackend, until } from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import type { Setup, Variations } from "../testing/with-proxy.ts";

const mirrorTo = (id: string, fraction?: Mirror["fraction"]): Mirror => ({
  type: "mirror",
  service: id,
  ...(fraction !== undefined && { fraction }),
});

const forwardTo = (id: string) => ({
  type: "forward" as const,
  backends: [{ service: id, weight: 1, filters: [] }],
});

const echoing = (name: string): Promise<HttpBackend> => startHttpBackend((response) => answerWith(response, 200, name));

/** Runs with a route to service `main` and the services that `mirrors` lead to, by port. */
async function withMirrors(
  main: number,
  mirrors: Record<string, number>,
  filters: Filter[],
  run: (setup: Setup & { mirrored: (id: string) => MirrorCounters }) => Promise<void>,
  more: Variations = {},
): Promise<void> {
  const services = [service("main", [main]), ...Object.entries(mirrors).map(([id, port]) => service(id, [port]))];
  await withProxy(
    services,
    (setup) => run({ ...setup, mirrored: (id) => setup.proxy.stats().services[id]!.mirrored }),
    { ...more, route: { filters, action: forwardTo("main"), ...more.route } },
  );
}

const post = (length: number): string =>
  `POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`;

describe("mirrored requests", () => {
  it("go to every mirror as the backend gets them; only the backend answers", async () => {
    const [main, one, two] = [await echoing("main"), await echoing("one"), await echoing("two")];
    const set = [{ name: "X-Set", value: "1" }];
    const filters: Filter[] = [
      { type: "requestHeaders", set, add: [], remove: ["x-gone"] },
      mirrorTo("one"),
      mirrorTo("two"),
      { type: "rewrite", path: { type: "full", value: "/inner" } },
    ];
    await withMirrors(
      main.port,
      { one: one.port, two: two.port },
      filters,
      async ({ port, mirrored, records, proxy }) => {
        const got = await exchangeBytes(
          port,
          "GET /x?q HTTP/1.1\r\nHost: a.test\r\nX-Gone: 1\r\nConnection: close\r\n\r\n",
        );
        assert.match(got, /main$/);
        await until(() => mirrored("one").answered + mirrored("two").answered === 2);
        for (const { requests } of [one, two]) assert.deepEqual(requests, main.requests);
        assert.equal(one.requests[0]!.url, "/inner?q");
        assert.equal(one.requests[0]!.headers["x-set"], "1");
        assert.equal(records.length, 1);
        const { services, endpoints } = proxy.stats();
        assert.equal(services["one"]!.requests, 0);
        assert.deepEqual(services["one"]!.mirrored, { answered: 1, dropped: 0, failed: 0, active: 0 });
        assert.deepEqual(
          Object.values(endpoints).map(({ active }) => active),
          [0, 0, 0],
        );
      },
    );
    await Promise.all([main.close(), one.close(), two.close()]);
  });

  for (const chunked of [false, true]) {
    it(`carry large bodies, ${chunked ? "in chunks with trailers" : "with a length"}`, async () => {
      const [main, mirror] = [await echoing("main"), await echoing("mirror")];
      const body = "0123456789abcdef".repeat(32 * 1024);
      const framed = `${body.length.toString(16)}\r\n${body}\r\n0\r\nX-T: 1\r\n\r\n`;
      const request = chunked
        ? `POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${framed}`
        : post(body.length) + body;
      const run = async ({ port, mirrored }: Parameters<Parameters<typeof withMirrors>[3]>[0]): Promise<void> => {
        assert.match(await exchangeBytes(port, request), /main$/);
        await until(() => mirrored("m").active === 0);
        assert.deepEqual(mirrored("m"), { answered: 1, dropped: 0, failed: 0, active: 0 });
      };
      // A mirror may lag behind by as much as the whole body here: how far it does is up to the system.
      const limits = { mirrorBytes: body.length };
      await withMirrors(main.port, { m: mirror.port }, [mirrorTo("m")], run, { limits });
      const digest = (text: string): string => createHash("sha1").update(text).digest("hex");
      assert.equal(digest(mirror.requests[0]!.body), digest(body));
      assert.equal(mirror.requests[0]!.trailers["x-t"], chunked ? "1" : undefined);
      await Promise.all([main.close(), mirror.close()]);
    });
  }

  it("are the share of the requests that was asked for", async () => {
    const [main, some, none, all] = [await echoing("main"), await echoing("s"), await echoing("n"), await echoing("a")];
    const filters = [
      mirrorTo("some", { numerator: 1, denominator: 4 }),
      mirrorTo("none", { numerator: 0, denominator: 100 }),
      mirrorTo("all", { numerator: 100, denominator: 100 }),
    ];
    const ports = { some: some.port, none: none.port, all: all.port };
    await withMirrors(main.port, ports, filters, async ({ port, mirrored }) => {
      for (let each = 0; each < 40; each++) await exchangeBytes(port, GET_CLOSE);
      await until(() => mirrored("some").active + mirrored("all").active === 0);
      const { answered } = mirrored("some");
      assert.ok(answered >= 9 && answered <= 11, `${answered} of 40`);
      assert.equal(some.requests.length, answered);
      assert.equal(none.requests.length, 0);
      assert.equal(all.requests.length, 40);
    });
    await Promise.all([main, some, none, all].map((backend) => backend.close()));
  });

  it("share connections, on which no answer is taken for a request", async () => {
    const [main, mirror] = [await echoing("main"), await echoing("an answer with a body")];
    const connections = new Set<unknown>();
    mirror.server.on("connection", (socket) => connections.add(socket));
    const refused: Error[] = [];
    mirror.server.on("clientError", (error: Error) => refused.push(error));
    await withMirrors(main.port, { m: mirror.port }, [mirrorTo("m")], async ({ port, mirrored }) => {
      for (let round = 1; round <= 5; round++) {
        await Promise.all(Array.from({ length: 4 }, () => exchangeBytes(port, GET_CLOSE)));
        await until(() => mirrored("m").answered === round * 4);
      }
    });
    assert.deepEqual([mirror.requests.length, refused], [20, []]);
    assert.ok(connections.size <= 4, `${connections.size} connections`);
    await Promise.all([main.close(), mirror.close()]);
  });

  it("are sent once, however often the request itself is tried", async () => {
    const main = await startHttpBackend((response, _request, before) =>
      answerWith(response, before < 2 ? 503 : 200, "main"),
    );
    const mirror = await echoing("m");
    const retry = { statuses: [503], attempts: 3, backoff: 0 };
    await withMirrors(
      main.port,
      { m: mirror.port },
      [mirrorTo("m")],
      async ({ port, mirrored }) => {
        assert.match(await exchangeBytes(port, post(5) + "hello"), /main$/);
        await until(() => mirrored("m").answered === 1);
        assert.deepEqual([main.requests.length, mirror.requests.map(({ body }) => body)], [3, ["hello"]]);
      },
      { route: { retry } },
    );
    await Promise.all([main.close(), mirror.close()]);
  });

  it("are repeated when an idle connection turns out to be closed", async () => {
    const main = await echoing("main");
    const mirror = await startBackend((socket, received) => {
      if (received.split("\r\n\r\n").length > 2) socket.destroy();
      else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    await withMirrors(main.port, { m: mirror.port }, [mirrorTo("m")], async ({ port, mirrored }) => {
      for (const answered of [1, 2]) {
        await exchangeBytes(port, GET_CLOSE);
        await until(() => mirrored("m").answered === answered);
      }
      assert.equal(mirrored("m").failed, 0);
    });
    await Promise.all([main.close(), mirror.close()]);
  });

  it("are not made of upgrades, nor for answers without a backend, nor to services that are not there", async () => {
    const mirror = await echoing("m");
    const main = await startBackend((socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
    });
    await withMirrors(main.port, { m: mirror.port }, [mirrorTo("m"), mirrorTo("absent")], async ({ port }) => {
      const client = new RawClient(port).send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
      await client.until((received) => received.startsWith("HTTP/1.1 101 "));
      client.destroy();
    });
    const respond = { type: "respond" as const, status: 200, reason: "x" };
    await withMirrors(
      main.port,
      { m: mirror.port },
      [mirrorTo("m")],
      async ({ port, mirrored }) => {
        assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 200 /);
        assert.equal(mirrored("m").active, 0);
      },
      { route: { action: respond } },
    );
    assert.equal(mirror.requests.length, 0);
    await Promise.all([main.close(), mirror.close()]);
  });
});

describe("mirrors", () => {
  it("that do not read are given up; the request is not held back", async () => {
    const main = await echoing("main");
    const mirror = await startBackend(() => {});
    mirror.server.on("connection", (socket) => socket.pause());
    const body = "x".repeat(16 * 1024 * 1024);
    await withMirrors(main.port, { m: mirror.port }, [mirrorTo("m")], async ({ port, mirrored }) => {
      assert.match(await exchangeBytes(port, post(body.length) + body), /main$/);
      assert.deepEqual(mirrored("m"), { answered: 0, dropped: 1, failed: 0, active: 0 });
    });
    assert.equal(main.requests[0]!.body.length, body.length);
    await Promise.all([main.close(), mirror.close()]);
  });

  it("that never answer are given up after a while, and only so many are waited for", async () => {
    const main = await echoing("main");
    const mirror = await startBackend(() => {});
    await withMirrors(
      main.port,
      { m: mirror.port },
      [mirrorTo("m")],
      async ({ port, mirrored }) => {
        for (let each = 0; each < 3; each++) assert.match(await exchangeBytes(port, GET_CLOSE), /main$/);
        assert.equal(mirrored("m").dropped >= 1, true, "the third was one too many");
        await until(() => mirrored("m").active === 0);
        assert.equal(mirrored("m").dropped, 3);
      },
      { limits: { mirrorTimeout: 60, mirroredRequests: 2 } },
    );
    await Promise.all([main.close(), mirror.close()]);
  });

  it("that refuse, break off or talk nonsense change nothing", async () => {
    const main = await echoing("main");
    const breaking = await startBackend((socket) => socket.destroy());
    const babbling = await startBackend((socket) => socket.end("SSH-2.0-x\r\n"));
    const ports = { refusing: await closedPort(), breaking: breaking.port, babbling: babbling.port };
    await withMirrors(
      main.port,
      ports,
      Object.keys(ports).map((id) => mirrorTo(id)),
      async ({ port, mirrored }) => {
        assert.match(await exchangeBytes(port, post(5) + "hello"), /main$/);
        await until(() => Object.keys(ports).every((id) => mirrored(id).failed === 1));
      },
    );
    await Promise.all([main.close(), breaking.close(), babbling.close()]);
  });

  it("are let go when the client leaves in the middle of its body", async () => {
    const main = await startBackend(() => {});
    const mirror = await startBackend(() => {});
    await withMirrors(main.port, { m: mirror.port }, [mirrorTo("m")], async ({ port, mirrored }) => {
      const client = new RawClient(port).send(`${post(10)}hello`);
      await until(() => mirror.received[0]?.endsWith("hello") === true);
      client.destroy();
      await until(() => mirrored("m").active === 0);
      await until(() => mirror.sockets.size === 0);
      assert.equal(mirrored("m").dropped, 1);
    });
    await Promise.all([main.close(), mirror.close()]);
  });

  it("may be a backend's own", async () => {
    const [main, mirror] = [await echoing("main"), await echoing("m")];
    const backends = [
      { service: "main", weight: 1, filters: [mirrorTo("m")] as Filter[] },
      { service: "main", weight: 1, filters: [] },
    ];
    await withMirrors(
      main.port,
      { m: mirror.port },
      [],
      async ({ port, mirrored }) => {
        for (let each = 0; each < 4; each++) await exchangeBytes(port, GET_CLOSE);
        await until(() => mirrored("m").answered === 2);
        assert.equal(main.requests.length, 4);
      },
      { route: { action: { type: "forward", backends } } },
    );
    assert.equal(mirror.requests.length, 2);
    await Promise.all([main.close(), mirror.close()]);
  });
});
