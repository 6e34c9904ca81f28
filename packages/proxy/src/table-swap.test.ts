// Tables that change under load, listeners that come and go, and closing in good order.

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import {
  accepted,
  answering,
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

describe("table swaps", () => {
  it("under load fail nothing and take effect at once", async () => {
    const [a, b] = [await answering(ok("A")), await answering(ok("B"))];
    const proxy = variantProxy();
    const pointing = (backend: Backend) =>
      table([listener({ "*": [route("/*", "s", { id: "r" })] })], [service("s", [backend.port])]);
    const [state] = await proxy.apply(pointing(a));
    const port = state!.port;
    const loads = Promise.all(Array.from({ length: 6 }, () => inTurn(port, 100)));
    for (let swap = 0; swap < 40; swap++) {
      const [backend, letter] = swap % 2 === 0 ? [b, "B"] : [a, "A"];
      void proxy.apply(pointing(backend));
      assert.equal((await inTurn(port, 1)).join(""), letter);
    }
    assert.equal((await loads).flat().length, 600);
    await proxy.close({ graceMs: 0 });
    await a.close();
    await b.close();
  });

  it("let requests under way finish on the endpoint that was removed, and close its idle connections", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.includes("/quick")) socket.write(ok("quick"));
    });
    const proxy = variantProxy();
    const full = table([listener({ "*": [route("/*", "s", { id: "r" })] })], [service("s", [backend.port])]);
    const [state] = await proxy.apply(full);
    const quick = "GET /quick HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
    const client = new RawClient(state!.port).send("GET /slow HTTP/1.1\r\nHost: a.test\r\n\r\n");
    const slow = await accepted(backend);
    await once(slow, "data");
    assert.match(await exchangeBytes(state!.port, quick), /quick$/);
    const idle = [...backend.sockets].find((socket) => socket !== slow)!;
    const idleClosed = once(idle, "close");
    await proxy.apply({ ...full, services: [service("s", [])] });
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
    const proxy = variantProxy();
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
    const proxy = variantProxy();
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
    const proxy = variantProxy();
    const routes = { "*": [route("/*", "s", { id: "r" })] };
    const [state] = await proxy.apply(table([listener(routes)], [service("s", [backend.port])]));
    const client = new RawClient(state!.port).send(GET);
    const socket = await accepted(backend);
    await once(socket, "data");
    const closed = proxy.close({ graceMs: 5_000 });
    socket.write(ok("last"));
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n[^]*last$/);
    await closed;
    await backend.close();
  });

  it("close after an answer whose head was out before", async () => {
    const backend = await startBackend((socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfi"));
    const proxy = variantProxy();
    const routes = { "*": [route("/*", "s", { id: "r" })] };
    const [state] = await proxy.apply(table([listener(routes)], [service("s", [backend.port])]));
    const client = new RawClient(state!.port).send(GET);
    await client.until((received) => received.endsWith("fi"));
    const closed = proxy.close({ graceMs: 5_000 });
    for (const socket of backend.sockets) socket.write("ne");
    assert.match(await client.untilEnd(), /fine$/);
    client.destroy();
    await closed;
    await backend.close();
  });

  it("close within the bound when a request does not end, and not before it is in the access log", async () => {
    const backend = await startBackend(() => {});
    const reasons: string[] = [];
    const proxy = variantProxy({ onAccess: ({ reason }) => reasons.push(reason) });
    const routes = { "*": [route("/*", "s", { id: "r" })] };
    const [state] = await proxy.apply(table([listener(routes)], [service("s", [backend.port])]));
    const client = new RawClient(state!.port).send(GET);
    await once(backend.server, "connection");
    await proxy.close({ graceMs: 30 });
    assert.deepEqual(reasons, ["proxy-closed"]);
    assert.equal(await client.untilEnd(), "");
    await backend.close();
  });
});
