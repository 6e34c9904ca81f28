// Session persistence (GEP-1619): who comes back with what it was given stays where it was; who makes something up does not.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createProxy } from "../proxy.ts";
import type { Proxy } from "../proxy.ts";
import type { Route, SessionPersistence, WeightedBackend } from "../routing-table.ts";
import { answering, closedPort, exchangeBytes, ok } from "../testing/sockets.ts";
import type { Backend } from "../testing/sockets.ts";
import { listener, matchOn, route, service, table } from "../testing/tables.ts";
import { SessionTokens } from "./session.ts";

interface Answer {
  body: string;
  /** Value of Set-Cookie. */
  cookie: string | undefined;
  /** `name=value` of it. */
  pair: string;
  head: string;
}

async function ask(port: number, lines = "", target = "/"): Promise<Answer> {
  const text = await exchangeBytes(port, `GET ${target} HTTP/1.1\r\nHost: a.test\r\n${lines}Connection: close\r\n\r\n`);
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const cookie = /\r\nSet-Cookie: (.*)/.exec(head)?.[1];
  return { body, cookie, pair: cookie?.split(";")[0] ?? "", head };
}

const bodies = async (port: number, count: number, lines = ""): Promise<string> => {
  let result = "";
  for (let each = 0; each < count; each++) result += (await ask(port, lines)).body;
  return result;
};

const byCookie: SessionPersistence = { type: "cookie", name: "s" };

interface Setup {
  proxy: Proxy;
  port: number;
  /** Replaces the table. */
  apply: (more: Partial<Route>, ports?: number[]) => Promise<void>;
}

/** Two endpoints, A and B, of service `s`. */
async function withPods(
  more: Partial<Route>,
  run: (setup: Setup & { a: Backend; b: Backend }) => Promise<void>,
  options: { trusting?: boolean; secret?: string } = {},
): Promise<void> {
  const [a, b] = [await answering(ok("A")), await answering(ok("B"))];
  const proxy = createProxy(options.secret === undefined ? {} : { sessionSecret: options.secret });
  const tableOf = (changed: Partial<Route>, ports: number[]) =>
    table(
      [
        listener(
          { "*": [route("/*", "s", { id: "r", ...changed })] },
          options.trusting === true ? { trustedProxies: ["127.0.0.1"] } : {},
        ),
      ],
      [service("s", ports), service("a", [a.port]), service("b", [b.port])],
    );
  const [state] = await proxy.apply(tableOf(more, [a.port, b.port]));
  const apply = async (changed: Partial<Route>, ports = [a.port, b.port]): Promise<void> => {
    await proxy.apply(tableOf(changed, ports));
  };
  try {
    await run({ proxy, port: state!.port, apply, a, b });
  } finally {
    await proxy.close({ graceMs: 0 });
    await Promise.all([a.close(), b.close()]);
  }
}

describe("cookies", () => {
  it("are given once, and lead back to the endpoint", async () => {
    await withPods({ sessionPersistence: byCookie }, async ({ port }) => {
      const [one, two] = [await ask(port), await ask(port)];
      assert.deepEqual([one.body, two.body], ["A", "B"]);
      for (const { cookie } of [one, two]) {
        assert.match(cookie!, /^s=[A-Za-z0-9_-]+; Path=\/; HttpOnly; SameSite=Strict$/);
      }
      for (const { pair, body } of [one, two, one, one]) {
        const again = await ask(port, `Cookie: other=1; ${pair}\r\n`);
        assert.deepEqual([again.body, again.cookie], [body, undefined]);
      }
      assert.equal(await bodies(port, 4), "ABAB", "strangers are distributed as ever");
    });
  });

  it("say nothing of where they lead", async () => {
    await withPods({ sessionPersistence: byCookie }, async ({ port, a }) => {
      const { pair } = await ask(port);
      const bytes = Buffer.from(pair.slice(2), "base64url").toString("latin1");
      assert.doesNotMatch(bytes + pair, new RegExp(`127\\.0\\.0|${a.port}`));
      assert.notEqual((await ask(port)).pair, pair);
    });
  });

  it("that the proxy did not make are worth nothing", async () => {
    await withPods({ sessionPersistence: byCookie }, async ({ port, b }) => {
      const { pair } = await ask(port);
      const altered = pair.slice(0, -2) + (pair.at(-2) === "A" ? "B" : "A") + pair.at(-1);
      const foreign = new SessionTokens("else").seal(`${Date.now()}\ns\n127.0.0.1:${b.port}`, "s");
      const plain = Buffer.from(`${Date.now()}\ns\n127.0.0.1:${b.port}`).toString("base64url");
      for (const made of [altered, `s=${foreign}`, `s=${plain}`, "s=", "s=!!", `s=127.0.0.1:${b.port}`]) {
        const seen = new Set<string>();
        for (let each = 0; each < 2; each++) {
          const answer = await ask(port, `Cookie: ${made}\r\n`);
          assert.ok(answer.cookie !== undefined, made);
          seen.add(answer.body);
        }
        assert.equal(seen.size, 2, made);
      }
    });
  });

  it("of another session name lead nowhere", async () => {
    await withPods({ sessionPersistence: byCookie }, async ({ port, apply }) => {
      const { pair } = await ask(port);
      await apply({ sessionPersistence: { ...byCookie, name: "t" } });
      const { cookie } = await ask(port, `Cookie: ${pair.replace("s=", "t=")}\r\n`);
      assert.match(cookie!, /^t=/);
    });
  });

  it("are found among others of their name", async () => {
    await withPods({ sessionPersistence: byCookie }, async ({ port }) => {
      const { pair, body } = await ask(port);
      for (let each = 0; each < 3; each++) {
        const again = await ask(port, `Cookie: xs=1; s=backends-own\r\nCookie: ${pair}; s=\r\n`);
        assert.deepEqual([again.body, again.cookie], [body, undefined]);
      }
    });
  });

  it("last as the route says", async () => {
    const permanent = { ...byCookie, permanent: true, absoluteTimeout: 90_500 };
    await withPods({ sessionPersistence: permanent }, async ({ port, apply }) => {
      const { cookie, pair, body } = await ask(port);
      assert.match(cookie!, /; Path=\/; Max-Age=91; HttpOnly;/);
      assert.deepEqual(await bodies(port, 3, `Cookie: ${pair}\r\n`), body.repeat(3));
      // A session's time is counted here, whatever the browser does.
      await apply({ sessionPersistence: { ...byCookie, absoluteTimeout: 0 } });
      const over = await ask(port, `Cookie: ${pair}\r\n`);
      assert.match(over.cookie!, /^s=(?!.*Max-Age)/);
    });
  });

  it("are for secure connections only where the client has one", async () => {
    await withPods(
      { sessionPersistence: byCookie },
      async ({ port }) => {
        assert.match((await ask(port, "X-Forwarded-Proto: https\r\n")).cookie!, /; SameSite=Strict; Secure$/);
        assert.match((await ask(port)).cookie!, /; SameSite=Strict$/);
      },
      { trusting: true },
    );
  });

  it("are understood by another proxy with the same secret, and by no other", async () => {
    let pair = "";
    let ports: number[] = [];
    await withPods(
      { sessionPersistence: byCookie },
      async ({ port, a, b }) => {
        ({ pair } = await ask(port));
        ports = [a.port, b.port];
        for (const [secret, understood] of [
          ["x", true],
          ["y", false],
          [undefined, false],
        ] as const) {
          const other = createProxy(secret === undefined ? {} : { sessionSecret: secret });
          const routes = [route("/*", "s", { sessionPersistence: byCookie })];
          const [state] = await other.apply(table([listener({ "*": routes })], [service("s", ports)]));
          const { cookie } = await ask(state!.port, `Cookie: ${pair}\r\n`);
          assert.equal(cookie === undefined, understood);
          await other.close({ graceMs: 0 });
        }
      },
      { secret: "x" },
    );
  });

  const paths: [path: string, asked: string, cookiePath: string][] = [
    ["/*", "/x", "/"],
    ["/shop*", "/shop/x", "/shop"],
    ["/shop/*", "/shop", "/shop"],
    ["/shop/cart", "/shop/cart", "/shop/cart"],
    ["~/p1/p2/.*/p3", "/p1/p2/x/p3", "/p1/p2"],
    ["~^/p1/x+", "/p1/xx", "/p1"],
    ["~^/a|/b", "/b", "/"],
    ["~/plain", "/plain", "/plain"],
    ["~x+", "/x", "/"],
    ["/a;Domain=evil*", "/a;Domain=evil", "/"],
  ];
  for (const [path, asked, cookiePath] of paths) {
    it(`of a route with path ${path} are for ${cookiePath}`, async () => {
      await withPods({ sessionPersistence: byCookie, match: matchOn(path) }, async ({ port }) => {
        const { cookie } = await ask(port, "", asked);
        assert.match(cookie!, new RegExp(`; Path=${cookiePath}; `));
      });
    });
  }
});

describe("sessions", () => {
  it("by header", async () => {
    await withPods({ sessionPersistence: { type: "header", name: "X-Session" } }, async ({ port }) => {
      const { head, body } = await ask(port);
      const token = /\r\nX-Session: (\S+)/.exec(head)![1]!;
      for (let each = 0; each < 3; each++) {
        const again = await ask(port, `x-session: ${token}\r\n`);
        assert.equal(again.body, body);
        assert.doesNotMatch(again.head, /X-Session/);
      }
      assert.match((await ask(port, "X-Session: made-up\r\n")).head, /\r\nX-Session: /);
    });
  });

  it("whose endpoint is gone begin anew, with a new cookie", async () => {
    await withPods({ sessionPersistence: byCookie }, async ({ port, apply, a, b }) => {
      const { pair, body } = await ask(port);
      assert.equal(body, "A");
      await apply({ sessionPersistence: byCookie }, [b.port]);
      const moved = await ask(port, `Cookie: ${pair}\r\n`);
      assert.equal(moved.body, "B");
      await apply({ sessionPersistence: byCookie }, [a.port, b.port]);
      assert.equal(await bodies(port, 3, `Cookie: ${moved.pair}\r\n`), "BBB");
    });
  });

  it("whose endpoint refuses move on, with a new cookie", async () => {
    const closed = await closedPort();
    await withPods({ sessionPersistence: byCookie }, async ({ port, apply, a, b }) => {
      await apply({ sessionPersistence: byCookie }, [a.port, b.port]);
      const { pair } = await ask(port);
      await a.close();
      const moved = await ask(port, `Cookie: ${pair}\r\n`);
      assert.equal(moved.body, "B");
      assert.notEqual(moved.pair, "");
      assert.equal(await bodies(port, 3, `Cookie: ${moved.pair}\r\n`), "BBB");
      // While nothing else is there, the session is not given up for it.
      await apply({ sessionPersistence: byCookie }, [closed]);
      assert.match((await ask(port, `Cookie: ${moved.pair}\r\n`)).head, /^HTTP\/1\.1 502 /);
    });
  });

  it("stay with their backend, whatever its weight becomes", async () => {
    const shares = (a: number, b: number): Partial<Route> => {
      const backends: WeightedBackend[] = [
        { service: "a", weight: a, filters: [] },
        { service: "b", weight: b, filters: [] },
      ];
      return { sessionPersistence: byCookie, action: { type: "forward", backends } };
    };
    await withPods(shares(1, 1), async ({ port, apply }) => {
      const [one, two] = [await ask(port), await ask(port)];
      assert.deepEqual([one.body, two.body], ["A", "B"]);
      await apply(shares(0, 1));
      assert.equal(await bodies(port, 3, `Cookie: ${one.pair}\r\n`), "AAA");
      assert.equal(await bodies(port, 3), "BBB");
    });
  });

  it("are not given with answers of the proxy itself", async () => {
    await withPods({ sessionPersistence: byCookie }, async ({ port, apply }) => {
      await apply({ sessionPersistence: byCookie }, []);
      const { head, cookie } = await ask(port);
      assert.match(head, /^HTTP\/1\.1 503 /);
      assert.equal(cookie, undefined);
    });
  });

  it("with a name that cannot be one are not kept", async () => {
    await withPods({ sessionPersistence: { type: "cookie", name: "a;b\r\nX: 1" } }, async ({ port }) => {
      assert.equal((await ask(port)).cookie, undefined);
    });
  });
});
