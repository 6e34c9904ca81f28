import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createProxy } from "../proxy.ts";
import type { HealthCheck } from "../routing-table.ts";
import { answerWith, startHttpBackend } from "../testing/http-backend.ts";
import type { HttpBackend } from "../testing/http-backend.ts";
import { closedPort, exchangeBytes, GET_CLOSE, until } from "../testing/sockets.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";

const check: HealthCheck = { path: "/healthz", interval: 1, timeout: 1_000, unhealthyAfter: 2, healthyAfter: 2 };

/** A pod with a name, whose health is `status`; 0 never answers. */
async function pod(name: string, status = 200): Promise<HttpBackend & { status: number; checks: () => number }> {
  const backend = await startHttpBackend((response, { url }) => {
    if (url !== "/healthz") answerWith(response, 200, name);
    else if (result.status > 0) answerWith(response, result.status);
  });
  const checks = (): number => backend.requests.filter(({ url }) => url === "/healthz").length;
  const result = Object.assign(backend, { status, checks });
  return result;
}

async function served(port: number, count = 4): Promise<string> {
  let names = "";
  for (let each = 0; each < count; each++) names += (await exchangeBytes(port, GET_CLOSE)).at(-1);
  return names;
}

describe("health checks", () => {
  it("leave an endpoint out after so many failures and take it back after so many successes", async () => {
    const [a, b] = [await pod("A"), await pod("B")];
    await withProxy(
      [{ ...service("s", [a.port, b.port]), healthCheck: { ...check, host: "h.test" } }],
      async (setup) => {
        const failed = (): number => setup.proxy.stats().endpoints[`127.0.0.1:${a.port}`]!.failedChecks;
        assert.match(await served(setup.port), /^(AB|BA)+$/, "believed to do well before the first check");
        a.status = 503;
        await until(() => failed() >= 2);
        assert.equal(await served(setup.port), "BBBB");
        a.status = 302;
        const before = a.checks();
        await until(() => a.checks() >= before + 4);
        assert.match(await served(setup.port), /A/);
        assert.equal(a.requests.find(({ url }) => url === "/healthz")!.headers.host, "h.test");
      },
    );
    await Promise.all([a.close(), b.close()]);
  });

  it("take one failure for nothing", async () => {
    const [a, b] = [await pod("A"), await pod("B")];
    await withProxy([{ ...service("s", [a.port, b.port]), healthCheck: check }], async ({ port, proxy }) => {
      const failed = (): number => proxy.stats().endpoints[`127.0.0.1:${a.port}`]!.failedChecks;
      a.status = 500;
      await until(() => failed() === 1);
      a.status = 200;
      assert.match(await served(port), /A/);
    });
    await Promise.all([a.close(), b.close()]);
  });

  it("that are not answered, or refused, have failed", async () => {
    const [mute, good] = [await pod("M", 0), await pod("G")];
    const ports = [mute.port, good.port, await closedPort()];
    await withProxy([{ ...service("s", ports), healthCheck: { ...check, timeout: 1 } }], async ({ port, proxy }) => {
      const failed = (of: number): number => proxy.stats().endpoints[`127.0.0.1:${of}`]!.failedChecks;
      await until(() => failed(ports[0]!) >= 2 && failed(ports[2]!) >= 2);
      assert.equal(await served(port, 6), "GGGGGG");
    });
    await Promise.all([mute.close(), good.close()]);
  });

  it("that fail everywhere leave nobody out", async () => {
    const [a, b] = [await pod("A", 500), await pod("B", 500)];
    await withProxy([{ ...service("s", [a.port, b.port]), healthCheck: check }], async ({ port, proxy }) => {
      await until(() => Object.values(proxy.stats().endpoints).every(({ failedChecks }) => failedChecks > 2));
      assert.match(await served(port), /^(AB|BA)+$/);
    });
    await Promise.all([a.close(), b.close()]);
  });

  it("end with the endpoint, the check or the service; a service that is left alone goes on", async () => {
    const [a, b, c, d] = [await pod("A"), await pod("B"), await pod("C"), await pod("D")];
    const pods = [a, b, c, d];
    const proxy = createProxy();
    const checked = (id: string, ports: number[]) => ({ ...service(id, ports), healthCheck: check });
    const routes = [route("/*", ["s", "t", "u"])];
    const all = [checked("s", [a.port, d.port]), checked("t", [b.port]), checked("u", [c.port])];
    await proxy.apply(table([listener({ "*": routes })], all));
    await until(() => pods.every((each) => each.checks() > 1));
    await proxy.apply(table([listener({ "*": routes })], [checked("s", [d.port]), service("t", [b.port])]));
    // What was under way when the table came may still arrive.
    const base = d.checks();
    await until(() => d.checks() > base + 2);
    const before = [a, b, c].map((each) => each.checks());
    await until(() => d.checks() > base + 8);
    assert.deepEqual(
      [a, b, c].map((each) => each.checks()),
      before,
    );
    await proxy.close({ graceMs: 0 });
    await Promise.all(pods.map((each) => each.close()));
  });

  it("cannot be made to say more than one request", async () => {
    const a = await pod("A");
    const evil = { ...check, path: "/x HTTP/1.1\r\nX: 1\r\n\r\n", host: "h\r\nX: 1" };
    await withProxy([{ ...service("s", [a.port]), healthCheck: evil }], async () => {
      await until(() => a.requests.length > 0);
    });
    assert.equal(a.requests[0]!.url, "/x%20HTTP/1.1%0D%0AX:%201%0D%0A%0D%0A");
    assert.deepEqual([a.requests[0]!.headers.host, a.requests[0]!.headers["x"]], [`127.0.0.1:${a.port}`, undefined]);
    await a.close();
  });
});
