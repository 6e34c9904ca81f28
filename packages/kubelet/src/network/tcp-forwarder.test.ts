import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { createAdmission } from "../service-proxy/limits.ts";
import { freePort } from "./bind-probe.ts";
import { type Admission, type ChooseTargets, openTcpForwarder } from "./tcp-forwarder.ts";

const host = "127.0.0.1";

async function backend(t: TestContext, serve: (socket: Socket) => void): Promise<{ host: string; port: number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    serve(socket);
  });
  await once(server.listen(0, host), "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { host, port: (server.address() as AddressInfo).port };
}

async function forwarder(t: TestContext, targets: ChooseTargets) {
  const opened = await openTcpForwarder({ host, port: 0 }, targets);
  t.after(() => opened.destroy());
  return opened;
}

/** A connection; what goes wrong with it is collected. */
function client(port: number): { socket: Socket; failure: () => string | undefined; closed: Promise<unknown> } {
  let failure: string | undefined;
  const socket = connect({ host, port, allowHalfOpen: true });
  socket.on("error", (error: NodeJS.ErrnoException) => (failure = error.code));
  return { socket, failure: () => failure, closed: new Promise((resolve) => socket.once("close", resolve)) };
}

async function readAll(socket: Socket): Promise<string> {
  let received = "";
  for await (const chunk of socket.setEncoding("latin1")) received += String(chunk);
  return received;
}

test("an end in one direction is passed on, and the other direction goes on", async (t) => {
  const target = await backend(t, (socket) => {
    void readAll(socket).then((text) => socket.end(`heard ${text}`));
  });
  const { address } = await forwarder(t, () => [target]);
  const { socket, failure } = client(address.port);
  socket.end("all of it");
  assert.equal(await readAll(socket), "heard all of it");
  assert.equal(failure(), undefined);
});

test("megabytes arrive whole at a slow reader, and are not kept in memory meanwhile", async (t) => {
  const size = 64 * 2 ** 20;
  let sent = 0;
  const target = await backend(t, (socket) => {
    const chunk = Buffer.alloc(2 ** 16, "x");
    const write = (): void => {
      while (sent < size) {
        sent += chunk.length;
        if (!socket.write(chunk)) return void socket.once("drain", write);
      }
      socket.end();
    };
    write();
  });
  const { address } = await forwarder(t, () => [target]);
  const { socket } = client(address.port);
  await once(socket, "readable");
  // Nothing is read here: what the backend could send is what fits into the buffers on the way.
  let before = -1;
  while (before !== sent) {
    before = sent;
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(sent < size, `${sent} bytes were taken from the backend`);
  let received = 0;
  socket.on("data", (chunk: Buffer) => (received += chunk.length));
  await once(socket, "end");
  socket.end();
  assert.equal(received, size);
});

test("a target that refuses is passed over; the client's address decides on the order", async (t) => {
  const target = await backend(t, (socket) => socket.end("second"));
  const refusing = { host, port: await freePort(host) };
  const asked: string[] = [];
  const { address } = await forwarder(t, (from) => {
    asked.push(from);
    return [refusing, target];
  });
  assert.equal(await readAll(client(address.port).socket), "second");
  assert.deepEqual(asked, [host]);
});

test("without any target that answers the connection is reset", async (t) => {
  const refusing = { host, port: await freePort(host) };
  for (const targets of [[], [refusing]]) {
    const { address } = await forwarder(t, () => targets);
    const { failure, closed } = client(address.port);
    await closed;
    assert.equal(failure(), "ECONNRESET");
  }
});

test("a connection cut off on one side is cut off on the other", async (t) => {
  const arrived = Promise.withResolvers<Socket>();
  const target = await backend(t, (socket) => arrived.resolve(socket));
  const { address } = await forwarder(t, () => [target]);
  const first = client(address.port);
  first.socket.write("x");
  const upstream = await arrived.promise;
  upstream.resetAndDestroy();
  await first.closed;
  assert.equal(first.failure(), "ECONNRESET");
});

test("a client that goes away takes the connection behind with it", async (t) => {
  const arrived = Promise.withResolvers<Socket>();
  const target = await backend(t, (socket) => arrived.resolve(socket));
  const { address } = await forwarder(t, () => [target]);
  const { socket } = client(address.port);
  const upstream = await arrived.promise;
  const closed = new Promise((resolve) => upstream.once("close", resolve));
  socket.resetAndDestroy();
  await closed;
});

test("stopListening frees the port and leaves what is connected; destroy cuts it off", async (t) => {
  const target = await backend(t, (socket) => socket.on("data", (data) => socket.write(data)));
  const opened = await forwarder(t, () => [target]);
  const { socket, closed } = client(opened.address.port);
  socket.write("a");
  await once(socket, "data");
  const ended = opened.stopListening();
  const again = await forwarder(t, () => []);
  const same = await openTcpForwarder(opened.address, () => []);
  t.after(() => same.destroy());
  assert.notEqual(again.address.port, same.address.port);
  socket.write("b");
  assert.equal(String((await once(socket, "data"))[0]), "b");
  opened.destroy();
  await closed;
  await ended;
});

test("a port in use is said with the system's code", async (t) => {
  const taken = await backend(t, () => {});
  await assert.rejects(
    openTcpForwarder(taken, () => []),
    { code: "EADDRINUSE" },
  );
});

/** `left` resolves when the first one has left. */
function noted(inner: Admission): { admission: Admission; left: Promise<void> } {
  const { promise: left, resolve } = Promise.withResolvers<void>();
  const leave = (): void => {
    inner.leave();
    resolve();
  };
  return { admission: { enter: () => inner.enter(), leave }, left };
}

test("a connection that is not admitted is reset, and reaches no target; one that has ended makes room", async (t) => {
  let arrived = 0;
  const target = await backend(t, (socket) => {
    arrived++;
    socket.on("end", () => socket.end()).resume();
  });
  const { admission, left } = noted(createAdmission(1));
  const opened = await openTcpForwarder({ host, port: 0 }, () => [target], admission);
  t.after(() => opened.destroy());
  const first = client(opened.address.port);
  await once(first.socket, "connect");
  const second = client(opened.address.port);
  await second.closed;
  assert.equal(second.failure(), "ECONNRESET");
  first.socket.end();
  assert.equal(await readAll(first.socket), "");
  await left;
  const third = client(opened.address.port);
  third.socket.end();
  assert.equal(await readAll(third.socket), "");
  assert.equal(third.failure(), undefined);
  assert.equal(arrived, 2);
});

test("one that could not be carried makes room too", async (t) => {
  const { admission, left } = noted(createAdmission(1));
  const opened = await openTcpForwarder({ host, port: 0 }, () => [], admission);
  t.after(() => opened.destroy());
  await client(opened.address.port).closed;
  await left;
  assert.equal(admission.enter(), true);
});
