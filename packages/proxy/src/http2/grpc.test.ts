// gRPC through the proxy: unary and streaming calls, trailers, errors of the service and of the proxy itself.

import assert from "node:assert/strict";
import type { ServerHttp2Stream } from "node:http2";
import { describe, it } from "node:test";
import { isGrpc } from "../grpc-status.ts";
import type { Route, Service } from "../routing-table.ts";
import { Call, message, MessageReader } from "../testing/grpc.ts";
import { startHttp2Backend } from "../testing/http2-backend.ts";
import type { Http2Backend } from "../testing/http2-backend.ts";
import { ask, withSession } from "../testing/http2-client.ts";
import { exchangeBytes } from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import type { Setup, Variations } from "../testing/with-proxy.ts";
import type { ClientHttp2Session } from "node:http2";

const h2c = (id: string, ports: number[]): Service => ({ ...service(id, ports), protocol: "h2c" });

/** `/t.Echo/Say` says back every message as it comes, `/t.Echo/Many` says ten, `/t.Echo/Fail` refuses. */
function startService(): Promise<Http2Backend> {
  return startHttp2Backend((stream, headers) => {
    const path = headers[":path"];
    if (path === "/t.Echo/Fail") {
      const fields = {
        ":status": 200,
        "content-type": "application/grpc",
        "grpc-status": "5",
        "grpc-message": "no%20such",
      };
      return stream.respond(fields, { endStream: true });
    }
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "x-calls": "1" }));
    if (path === "/t.Echo/Many") {
      for (let each = 0; each < 10; each++) stream.write(message(`${each}`));
      stream.end();
    } else echo(stream);
  });
}

function echo(stream: ServerHttp2Stream): void {
  const reader = new MessageReader();
  stream.on("data", (bytes: Buffer) => {
    for (const text of reader.read(bytes)) stream.write(message(`echo ${text}`));
  });
  stream.on("end", () => stream.end());
}

interface GrpcSetup extends Setup {
  session: ClientHttp2Session;
}

async function withService(run: (setup: GrpcSetup) => Promise<void>, more: Variations = {}): Promise<void> {
  const backend = await startService();
  await withProxy(
    [h2c("s", [backend.port])],
    (setup) => withSession(setup.port, (session) => run({ ...setup, session })),
    more,
  );
  await backend.close();
}

describe("gRPC", () => {
  it("unary calls, with trailers", async () => {
    await withService(async ({ session, records }) => {
      const call = new Call(session, "/t.Echo/Say").send("hello").end();
      assert.deepEqual(await call.status, { code: 0, message: "", httpStatus: 200, trailersOnly: false });
      assert.deepEqual(call.messages, ["echo hello"]);
      assert.equal(call.headers["content-type"], "application/grpc");
      assert.deepEqual([records[0]!.status, records[0]!.reason, records[0]!.bytes], [200, "", 15]);
    });
  });

  it("server streaming", async () => {
    await withService(async ({ session }) => {
      const call = new Call(session, "/t.Echo/Many").end();
      assert.equal((await call.status).code, 0);
      assert.equal(call.messages.join(""), "0123456789");
    });
  });

  it("bidirectional streaming: each message arrives while the call goes on both ways", async () => {
    await withService(async ({ session }) => {
      const call = new Call(session, "/t.Echo/Say");
      for (let each = 1; each <= 20; each++) {
        call.send(`${each}`);
        assert.equal((await call.received(each)).at(-1), `echo ${each}`);
      }
      call.end();
      assert.equal((await call.status).code, 0);
    });
  });

  it("many calls at a time over one connection each way", async () => {
    await withService(async ({ session }) => {
      const calls = Array.from({ length: 50 }, (_, each) => new Call(session, "/t.Echo/Say").send(`${each}`));
      for (const [each, call] of calls.entries()) assert.deepEqual(await call.received(1), [`echo ${each}`]);
      for (const call of calls) call.end();
      for (const call of calls) assert.equal((await call.status).code, 0);
    });
  });

  it("errors of the service stay in one frame (Trailers-Only)", async () => {
    await withService(async ({ session }) => {
      const call = new Call(session, "/t.Echo/Fail");
      assert.deepEqual(await call.status, { code: 5, message: "no such", httpStatus: 200, trailersOnly: true });
    });
  });

  it("a call that the client cancels ends at the service", async () => {
    const aborted: ServerHttp2Stream[] = [];
    const backend = await startHttp2Backend((stream) => {
      echo(stream);
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.once("aborted", () => aborted.push(stream));
    });
    await withProxy([h2c("s", [backend.port])], ({ port }) =>
      withSession(port, async (session) => {
        const call = new Call(session, "/t.Echo/Say").send("a");
        await call.received(1);
        call.stream.close(8);
        while (aborted.length === 0) await new Promise((resolve) => setImmediate(resolve));
        assert.equal(aborted[0]!.rstCode, 8);
      }),
    );
    await backend.close();
  });
});

describe("answers of the proxy to gRPC", () => {
  const status = async (route: Partial<Route>, services: Service[], path = "/t.Echo/Say", hostname = "*") => {
    let result: unknown;
    await withProxy(
      services,
      ({ port }) =>
        withSession(port, async (session) => {
          const { code, httpStatus, trailersOnly } = await new Call(session, path).send("a").end().status;
          result = [code, httpStatus, trailersOnly];
        }),
      { route, hostname },
    );
    return result;
  };
  const respond = (answer: number): Partial<Route> => ({ action: { type: "respond", status: answer, reason: "x" } });

  it("are HTTP 200 with the status the mapping has", async () => {
    const cases: [code: number, actual: Promise<unknown>][] = [
      [12, status({}, [h2c("s", [1])], "/", "other.test")],
      [14, status({}, [h2c("s", [])])],
      [14, status({}, [h2c("s", [1])])],
      [14, status(respond(500), [])],
      [14, status(respond(503), [])],
      [16, status(respond(401), [])],
      [7, status(respond(403), [])],
      [13, status(respond(400), [])],
      [2, status(respond(413), [])],
    ];
    for (const [code, actual] of cases) assert.deepEqual(await actual, [code, 200, true]);
  });

  it("say why, readably for clients", async () => {
    const reason = "Service démo/x: 100% gone";
    const action = { type: "respond" as const, status: 503, reason };
    await withProxy(
      [],
      ({ port, records }) =>
        withSession(port, async (session) => {
          assert.equal((await new Call(session, "/t.Echo/Say").end().status).message, reason);
          assert.equal(records[0]!.reason, reason);
        }),
      { route: { action } },
    );
  });

  it("come in time when the service does not", async () => {
    const backend = await startHttp2Backend(() => {});
    await withProxy(
      [h2c("s", [backend.port])],
      ({ port }) =>
        withSession(port, async (session) => {
          const call = new Call(session, "/t.Echo/Say").send("a").end();
          assert.deepEqual(await call.status, {
            code: 14,
            message: "request-timeout",
            httpStatus: 200,
            trailersOnly: true,
          });
        }),
      { route: { timeouts: { request: 60 } } },
    );
    await backend.close();
  });

  it("are plain HTTP for everybody else, gRPC-Web and HTTP/1.1 included", async () => {
    await withProxy([h2c("s", [])], async ({ port }) => {
      await withSession(port, async (session) => {
        assert.equal((await ask(session, { "content-type": "application/grpc-web+proto" })).status, 503);
        assert.equal((await ask(session)).status, 503);
      });
      const request = "GET / HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/grpc\r\nConnection: close\r\n\r\n";
      assert.match(await exchangeBytes(port, request), /^HTTP\/1\.1 503 /);
    });
    for (const type of ["application/grpc", "application/grpc+json", "Application/GRPC;x=y"]) assert.ok(isGrpc(type));
    for (const type of [undefined, "", "application/grpcx", "application/grpc-web"]) assert.ok(!isGrpc(type));
  });
});
