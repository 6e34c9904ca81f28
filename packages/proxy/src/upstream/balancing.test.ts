// Which endpoint a request goes to, by load and by hash.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HashKey, Service } from "../routing-table.ts";
import {
  answering,
  closedPort,
  exchangeBytes,
  inTurn,
  ok,
  RawClient,
  startBackend,
  until,
} from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import type { Balancer } from "./balancer.ts";
import { ConsistentHash, hashText } from "./consistent-hash.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import { LeastRequests } from "./least-requests.ts";
import { Target } from "./target.ts";

/** Endpoints nobody connects to. */
const targets = (count: number): Target[] =>
  Array.from({ length: count }, (_, at) => {
    const pool = { key: `10.0.0.${at}:80`, downUntil: 0, counters: { active: 0 } };
    return new Target(pool as EndpointPool, "");
  });

describe("least requests", () => {
  const balancing: Service["balancing"] = { type: "least-requests" };

  it("goes to the endpoint with the fewest under way, in turn among equals", async () => {
    const slow = await startBackend(() => {});
    const fast = await answering(ok("F"));
    await withProxy([{ ...service("s", [slow.port, fast.port]), balancing }], async ({ port }) => {
      const waiting = new RawClient(port).send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await until(() => slow.received.length === 1);
      assert.equal((await inTurn(port, 5)).join(""), "FFFFF");
      waiting.destroy();
    });
    const [a, b] = [await answering(ok("A")), await answering(ok("B"))];
    await withProxy([{ ...service("s", [a.port, b.port]), balancing }], async ({ port }) => {
      assert.equal((await inTurn(port, 6)).join(""), "ABABAB");
    });
    for (const backend of [slow, fast, a, b]) await backend.close();
  });

  it("passes over an endpoint that refuses", async () => {
    const backend = await answering(ok("A"));
    await withProxy([{ ...service("s", [await closedPort(), backend.port]), balancing }], async ({ port }) => {
      assert.equal((await inTurn(port, 5)).join(""), "AAAAA");
    });
    await backend.close();
  });

  it("keeps many endpoints level by looking at two", () => {
    const balancer: Balancer = new LeastRequests();
    const all = targets(64);
    balancer.update(all);
    for (let each = 0; each < 6_400; each++) balancer.pick([], 1, 0)!.pool.counters.active++;
    const loads = all.map(({ pool }) => pool.counters.active);
    assert.ok(Math.max(...loads) <= 108, `up to ${Math.max(...loads)}, where one at random gives about 125`);
  });

  it("finds the one usable endpoint among many", () => {
    const balancer: Balancer = new LeastRequests();
    const all = targets(40);
    for (const target of all) target.healthy = false;
    all[17]!.healthy = true;
    all[17]!.pool.counters.active = 1_000;
    balancer.update(all);
    for (let each = 0; each < 50; each++) assert.equal(balancer.pick([], 1, 0), all[17]);
    assert.notEqual(balancer.pick([all[17]!.pool], 1, 0), undefined);
    assert.equal(
      balancer.pick(
        all.map(({ pool }) => pool),
        1,
        0,
      ),
      undefined,
    );
  });
});

describe("consistent hash", () => {
  const keys = Array.from({ length: 10_000 }, (_, at) => hashText(`user-${at}`));
  const places = (balancer: Balancer): (Target | undefined)[] => keys.map((key) => balancer.pick([], 1, key));

  it("gives every endpoint its share", () => {
    const balancer: Balancer = new ConsistentHash();
    const all = targets(10);
    balancer.update(all);
    const found = places(balancer);
    for (const target of all) {
      const share = found.filter((each) => each === target).length;
      assert.ok(share > 850 && share < 1_150, `${share} of 10,000`);
    }
  });

  it("moves nobody but those whose endpoint goes, and brings them back", () => {
    const balancer: Balancer = new ConsistentHash();
    const all = targets(10);
    balancer.update(all);
    const before = places(balancer);
    for (const leave of [() => balancer.update(all.toSpliced(3, 1)), () => (all[3]!.healthy = false)]) {
      leave();
      const without = places(balancer);
      assert.ok(without.every((each, at) => each === before[at] || before[at] === all[3]));
      const moved = new Set(without.filter((_, at) => before[at] === all[3]));
      assert.deepEqual([moved.size, moved.has(all[3])], [9, false], "over all the others");
      all[3]!.healthy = true;
      balancer.update(all);
      assert.deepEqual(places(balancer), before);
    }
  });

  const cases: [by: HashKey, lines: (user: string) => string][] = [
    [{ source: "header", name: "X-User" }, (user) => `x-user: ${user}\r\n`],
    [{ source: "cookie", name: "user" }, (user) => `Cookie: a=b; user=${user}; c\r\n`],
  ];
  for (const [by, lines] of cases) {
    it(`by ${by.source}: equal requests meet, others are spread`, async () => {
      const backends = await Promise.all(["A", "B", "C"].map((name) => answering(ok(name))));
      const ports = backends.map(({ port }) => port);
      const balancing: Service["balancing"] = { type: "consistent-hash", by };
      await withProxy([{ ...service("s", ports), balancing }], async ({ port }) => {
        const ask = async (more: string): Promise<string> =>
          (await exchangeBytes(port, `GET / HTTP/1.1\r\nHost: a\r\n${more}Connection: close\r\n\r\n`)).at(-1)!;
        const homes = new Map<string, string>();
        for (const user of Array.from({ length: 30 }, (_, at) => `u${at}`)) {
          homes.set(user, await ask(lines(user)));
          assert.equal(await ask(lines(user)), homes.get(user));
        }
        assert.equal(new Set(homes.values()).size, 3);
        const anybody = new Set<string>();
        for (let each = 0; each < 60; each++) anybody.add(await ask(""));
        assert.equal(anybody.size, 3, "who has no key goes anywhere");
        await backends[0]!.close();
        for (const [user, home] of homes) {
          const now = await ask(lines(user));
          if (home !== "A") assert.equal(now, home);
          else assert.match(now, /[BC]/);
        }
      });
      for (const backend of backends.slice(1)) await backend.close();
    });
  }

  it("by address: a client stays", async () => {
    const [a, b] = [await answering(ok("A")), await answering(ok("B"))];
    const balancing: Service["balancing"] = { type: "consistent-hash", by: { source: "address" } };
    await withProxy([{ ...service("s", [a.port, b.port]), balancing }], async ({ port }) => {
      const homes = new Set([...(await inTurn(port, 4)), ...(await inTurn(port, 4))]);
      assert.equal(homes.size, 1);
    });
    await a.close();
    await b.close();
  });
});
