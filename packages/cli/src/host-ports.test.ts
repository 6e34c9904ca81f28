import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { type TestContext, test } from "node:test";
import { chooseHostPorts, portHolder, type PortWish } from "./host-ports.ts";

function listen(t: TestContext, host = "127.0.0.1"): Promise<number> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer();
    server.once("error", reject);
    server.listen({ host, port: 0 }, () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
    t.after(() => server.close());
  });
}

/** A port that was free a moment ago. */
function free(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

const wish = (fields: Partial<PortWish>): PortWish => ({
  containerPort: 80,
  preferred: 80,
  fallback: 8080,
  option: "--http-port",
  ...fields,
});

test("a free port is taken as it is", async () => {
  const preferred = await free();
  assert.deepEqual(await chooseHostPorts([wish({ preferred })]), {
    mappings: [{ containerPort: 80, hostPort: preferred }],
    notes: [],
  });
});

test("a taken port gives the next free one and names the holder", async (t) => {
  const preferred = await listen(t);
  const { mappings, notes } = await chooseHostPorts([wish({ preferred, fallback: preferred })]);
  const chosen = mappings[0]?.hostPort ?? 0;
  assert.ok(chosen > preferred);
  assert.equal(notes.length, 1);
  if (process.platform === "linux")
    assert.match(notes[0] ?? "", new RegExp(`held by .*\\(pid ${process.pid}\\); using ${chosen}`));
});

test("a port taken on [::1] only is not free", async (t) => {
  const preferred = await listen(t, "::1").catch(() => undefined);
  if (preferred === undefined) return t.skip("this machine has no IPv6 loopback");
  const { mappings } = await chooseHostPorts([wish({ preferred, fallback: preferred })]);
  assert.notEqual(mappings[0]?.hostPort, preferred);
});

test("a port the user asked for is refused, not replaced", async (t) => {
  const chosen = await listen(t);
  await assert.rejects(
    chooseHostPorts([wish({ chosen })]),
    /port \d+ is held by .*choose another with --http-port PORT/,
  );
});

test("zero means any, and two wishes never get the same port", async () => {
  const preferred = await free();
  const { mappings } = await chooseHostPorts([
    wish({ chosen: 0 }),
    wish({ preferred }),
    wish({ containerPort: 443, preferred, fallback: preferred }),
  ]);
  assert.equal(new Set(mappings.map((mapping) => mapping.hostPort)).size, 3);
  assert.ok(mappings.every((mapping) => mapping.hostPort > 0));
});

test("the same port asked for twice is the command line's fault, not another program's", async () => {
  const chosen = await free();
  const wishes = [wish({ chosen }), wish({ chosen, containerPort: 443, option: "--https-port" })];
  await assert.rejects(chooseHostPorts(wishes), {
    message: `--https-port ${chosen}: that port is chosen twice, every listener needs its own`,
    exitCode: 2,
  });
});

test("nobody holds a free port", async () => {
  assert.equal(await portHolder(await free()), undefined);
});

test("who listens on another address of this host does not hold the port", async (t) => {
  if (process.platform !== "linux") return t.skip("needs more than one loopback address");
  assert.equal(await portHolder(await listen(t, "127.0.0.2")), undefined);
  for (const host of ["127.0.0.1", "0.0.0.0"]) {
    assert.match((await portHolder(await listen(t, host))) ?? "", new RegExp(`\\(pid ${process.pid}\\)$`), host);
  }
});
