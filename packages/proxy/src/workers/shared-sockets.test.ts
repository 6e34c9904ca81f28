import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import { BEST_IO } from "../io/network.ts";
import { addressKey, SharedSockets } from "./shared-sockets.ts";

const skip = BEST_IO !== "handles" && "this runtime has no handles that could be shared";
const host = "127.0.0.1";

/** Listens, or says why it cannot. */
async function listening(port: number): Promise<Server | string> {
  const server = createServer().listen(port, host);
  try {
    await once(server, "listening");
    return server;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "";
  }
}

test("each worker has a socket of its own for an address, until that is not wanted any more", { skip }, async () => {
  const sockets = new SharedSockets(2);
  const port = sockets.bind({ host, port: 0 })!;
  assert.ok(port > 0);
  const first = sockets.of(0).get(addressKey({ host, port }));
  assert.notEqual(first, undefined);
  assert.notEqual(sockets.of(1).get(addressKey({ host, port })), first);
  // Asked for again it is the same.
  assert.equal(sockets.bind({ host, port }), port);
  sockets.retain([{ host, port }]);
  assert.equal(sockets.of(0).get(addressKey({ host, port })), first);
  sockets.retain([]);
  assert.equal(sockets.of(0).size, 0);
  const server = await listening(port);
  assert.ok(typeof server !== "string", "the port is free again");
  server.close();
});

test("an address that cannot be had is none, and leaves nothing behind", { skip }, async () => {
  const sockets = new SharedSockets(2);
  const taken = (await listening(0)) as Server;
  const { port } = taken.address() as AddressInfo;
  assert.equal(sockets.bind({ host, port }), undefined);
  assert.equal(sockets.bind({ host: "192.0.2.1", port: 0 }), undefined);
  assert.equal(sockets.of(0).size, 0);
  taken.close();
  await once(taken, "close");
  assert.equal(sockets.bind({ host, port }), port);
  sockets.retain([]);
});

test("none is bound where workers listen by node:net, which could not take it over", async () => {
  const module = JSON.stringify(new URL("shared-sockets.ts", import.meta.url).href);
  const bound = `new (await import(${module})).SharedSockets(1).bind({ host: "127.0.0.1", port: 0 })`;
  const otherTls = "(await import('node:tls')).TLSSocket.prototype._wrapHandle = () => {};";
  const answers = ["", otherTls].map(async (before) => {
    const program = `${before} console.log(typeof ${bound}); process.exit()`;
    return (await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program])).stdout.trim();
  });
  assert.deepEqual(await Promise.all(answers), [BEST_IO === "handles" ? "number" : "undefined", "undefined"]);
});
