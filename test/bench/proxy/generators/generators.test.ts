import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { freePorts } from "../stage.ts";
import { aborts } from "./aborts.ts";
import { echo } from "./echo.ts";
import { idle } from "./idle.ts";
import { paced } from "./paced.ts";

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const addresses = ["127.0.0.1"];

/** A server that hands every piece a client sends to `onRequest`, for the time of `run`. */
async function withServer(onRequest: (socket: Socket) => void, run: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", () => onRequest(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await run((server.address() as { port: number }).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

describe("paced generator", () => {
  it("goes on asking while the server stalls, and counts the wait from the arrival", async () => {
    let stalled: Socket | undefined;
    let over = false;
    const onRequest = (socket: Socket): void => {
      if (over) socket.write(answer);
      else stalled = socket;
    };
    await withServer(onRequest, async (port) => {
      const settings = { addresses, port, path: "/", rate: 1000, connections: 1, seconds: 0.2 };
      const running = paced(settings);
      // A closed loop would send this one request, and nothing until it is answered.
      setTimeout(() => {
        over = true;
        stalled?.write(answer);
      }, 300);
      const { requests, errors, p50 } = (await running).result(1);
      assert.ok(requests > 10, `${requests} requests`);
      assert.equal(errors, 0);
      assert.ok(p50 >= 100, `p50 ${p50} ms`);
    });
  });

  it("counts answers that are not 200 as errors", async () => {
    const refused = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    await withServer(
      (socket) => socket.write(refused),
      async (port) => {
        const latencies = await paced({ addresses, port, path: "/", rate: 100, connections: 4, seconds: 0.1 });
        const { requests, errors } = latencies.result(1);
        assert.equal(requests, 0);
        assert.ok(errors > 0);
      },
    );
  });
});

describe("paced generator without a connection left", () => {
  it("counts what it cannot send as errors", async () => {
    await withServer(
      (socket) => socket.destroy(),
      async (port) => {
        const latencies = await paced({ addresses, port, path: "/", rate: 100, connections: 2, seconds: 0.2 });
        const { requests, errors } = latencies.result(1);
        assert.equal(requests, 0);
        assert.ok(errors > 2, `${errors} errors`);
      },
    );
  });
});

describe("WebSocket clients and the echo server", () => {
  it("exchange messages, which come back as they were sent", async () => {
    const [port = 0] = await freePorts(1);
    const server = spawn(process.execPath, [join(import.meta.dirname, "../echo-server.ts"), String(port)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(server.stdout, "data");
      const { requests, errors } = (await echo({ addresses, port, connections: 3, seconds: 0.1 })).result(1);
      assert.equal(errors, 0);
      assert.ok(requests >= 3);
    } finally {
      server.kill();
    }
  });

  it("count a refused upgrade as an error", async () => {
    await withServer(
      (socket) => socket.write(answer),
      async (port) => {
        const { requests, errors } = (await echo({ addresses, port, connections: 3, seconds: 0.1 })).result(1);
        assert.deepEqual([requests, errors], [0, 3]);
      },
    );
  });
});

describe("idle connections", () => {
  it("are all open and answered before they are counted on", async () => {
    let answered = 0;
    const onRequest = (socket: Socket): void => {
      answered++;
      socket.write(answer);
    };
    await withServer(onRequest, async (port) => {
      const open = await idle({ addresses, port, connections: 40 });
      assert.deepEqual([open.length, answered], [40, 40]);
      for (const connection of open) connection.close();
    });
  });

  it("fail when one is closed instead", async () => {
    await withServer(
      (socket) => socket.destroy(),
      (port) => assert.rejects(idle({ addresses, port, connections: 2 }), /got no answer/),
    );
  });
});

describe("clients that break off", () => {
  it("do so at every point, and a server that answers has no error", async () => {
    let reset = 0;
    const onRequest = (socket: Socket): void => {
      if (socket.listenerCount("error") === 1) socket.on("error", () => reset++);
      if (socket.writable) socket.write(answer);
    };
    await withServer(onRequest, async (port) => {
      const { requests, errors } = (await aborts({ addresses, port, connections: 7, seconds: 0.2 })).result(1);
      assert.equal(errors, 0);
      assert.ok(requests >= 7 && reset > 0, `${requests} broken off, ${reset} resets`);
    });
  });

  it("count what is refused, or broken off by the server, as an error", async () => {
    const [port = 0] = await freePorts(1);
    const { requests, errors } = (await aborts({ addresses, port, connections: 2, seconds: 0.1 })).result(1);
    assert.equal(requests, 0);
    assert.ok(errors > 0);
  });
});
