import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test, type TestContext } from "node:test";
import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import { freePort } from "../network/bind-probe.ts";
import { createAdmission } from "./limits.ts";
import type { Opening } from "./openings.ts";
import { createServicePorts, keyOf, type ServicePorts } from "./service-ports.ts";

const host = "127.0.0.1";

/** A backend that says its name. */
async function backend(t: TestContext, name: string): Promise<{ host: string; port: number }> {
  const server = createServer((socket) => void socket.on("error", () => {}).end(name));
  await once(server.listen(0, host), "listening");
  t.after(() => server.close());
  return { host, port: (server.address() as AddressInfo).port };
}

const portsTo = (t: TestContext, ...names: string[]): Promise<ServicePorts> => limitedPortsTo(t, 100, ...names);

async function limitedPortsTo(t: TestContext, most: number, ...names: string[]): Promise<ServicePorts> {
  const backends = new Map(await Promise.all(names.map(async (name) => [name, await backend(t, name)] as const)));
  const ports = createServicePorts({
    choose: (portName) => () => [...backends].flatMap(([name, at]) => (name === portName ? [at] : [])),
    connections: createAdmission(100),
    places: createAdmission(most),
  });
  t.after(() => ports.destroy());
  return ports;
}

const opening = (port: number, portName: string, more: Partial<Opening> = {}): Opening => ({
  place: { host, port },
  mapped: [],
  use: "loadBalancer",
  portName,
  ...more,
});

function received(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host, port });
    socket.setEncoding("utf8").on("data", (data: string) => (text += data));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once("end", () => resolve(text));
  });
}

test("a place stays open while it leads elsewhere, and is closed when it is not wanted any more", async (t) => {
  const ports = await portsTo(t, "a", "b");
  const [one, other] = [await freePort(host), await freePort(host)];
  await ports.sync([opening(one, "a"), opening(other, "b")]);
  assert.deepEqual([await received(one), await received(other)], ["a", "b"]);
  await ports.sync([opening(one, "b")]);
  assert.deepEqual([await received(one), await received(other)], ["b", "ECONNREFUSED"]);
  await ports.close();
  assert.equal(await received(one), "ECONNREFUSED");
});

test("where the node's port is refused, the host's port that leads to it is opened all the same", async (t) => {
  const ports = await portsTo(t, "a");
  const port = await freePort(host);
  // An address of documentation (RFC 5737): nobody's.
  const place = { host: "192.0.2.1", port };
  const refused = opening(port, "a", { place, mapped: [{ host, port }] });
  await ports.sync([refused]);
  assert.equal(ports.isOpen(refused), false);
  assert.deepEqual([...ports.refused], [[place, "EADDRNOTAVAIL"]]);
  assert.equal(await received(port), "a");
});

test("where another has the node's port, the host's is left alone, until it is free", async (t) => {
  const ports = await portsTo(t, "a");
  const holder = createServer((socket) => void socket.on("error", () => {}).end("held"));
  await once(holder.listen(0, host), "listening");
  const { port } = holder.address() as AddressInfo;
  const mapped = await freePort(host);
  const wanted = opening(port, "a", { mapped: [{ host, port: mapped }] });
  await ports.sync([wanted]);
  assert.deepEqual([...ports.refused.values()], ["EADDRINUSE"]);
  assert.deepEqual([await received(port), await received(mapped)], ["held", "ECONNREFUSED"]);
  await new Promise((resolve) => holder.close(resolve));
  await ports.sync([wanted]);
  assert.equal(ports.refused.size, 0);
  assert.deepEqual([await received(port), await received(mapped)], ["a", "a"]);
});

test("it knows on which places it listens: refused and closed ones are others', however they are spelled", async (t) => {
  const ports = await portsTo(t, "a");
  const holder = createServer();
  await once(holder.listen(0, host), "listening");
  t.after(() => holder.close());
  const taken = { host, port: (holder.address() as AddressInfo).port };
  const mapped = { host, port: await freePort(host) };
  const wanted = opening(await freePort(host), "a", { mapped: [mapped] });
  await ports.sync([wanted, opening(taken.port, "a")]);
  const listensOn = (place: ListenAddress): boolean => ports.listensOn(place);
  const spellings = [wanted.place, mapped, { ...mapped, host: "::ffff:7f00:1" }, { ...mapped, host: "0.0.0.0" }];
  assert.deepEqual(spellings.map(listensOn), [true, true, true, true]);
  assert.deepEqual([taken, { ...mapped, host: "127.0.0.2" }].map(listensOn), [false, false]);
  await ports.sync([]);
  assert.deepEqual(spellings.map(listensOn), [false, false, false, false]);
});

test("an IPv6 address is one place in all its spellings", () => {
  const keys = ["::1", "0:0:0:0:0:0:0:1", "::"].map((each) => keyOf({ host: each, port: 80 }));
  assert.deepEqual(new Set(keys), new Set(["::1 80"]));
  assert.equal(keyOf({ host: "::ffff:0.0.0.0", port: 80 }), "127.0.0.1 80");
});

test("no more places than allowed are open; one that is closed makes room, one that was refused took none", async (t) => {
  const ports = await limitedPortsTo(t, 1, "a");
  const [one, other] = [await freePort(host), await freePort(host)];
  const nobodys = opening(one, "a", { place: { host: "192.0.2.1", port: one } });
  await ports.sync([nobodys, opening(one, "a"), opening(other, "a")]);
  assert.deepEqual([...ports.refused.values()], ["EADDRNOTAVAIL", "TOO_MANY_PLACES"]);
  assert.deepEqual([await received(one), await received(other)], ["a", "ECONNREFUSED"]);
  await ports.sync([opening(other, "a")]);
  assert.deepEqual([await received(one), await received(other)], ["ECONNREFUSED", "a"]);
});
