// Pods replaced one after another under load: no request may fail, whoever learns of it first, the pod or the proxy.

import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { createProxy } from "./proxy.ts";
import type { Proxy } from "./proxy.ts";
import type { Route, Service } from "./routing-table.ts";
import { listener, route, service, table } from "./testing/tables.ts";

/** A pod that stops as servers do: nothing new is accepted, what is under way is answered with `Connection: close`, idle
 * connections are closed, even if a request is on its way there. */
class Pod {
  readonly #server: Server;
  served = 0;
  #stopping = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(name: string): Promise<Pod> {
    const server = createServer((incoming, response) => {
      incoming.resume();
      incoming.on("end", () => {
        pod.served++;
        // Some work, so that there is always something under way.
        let turns = 5;
        const work = (): void => {
          if (turns-- > 0) return void setImmediate(work);
          if (pod.#stopping) response.setHeader("Connection", "close");
          response.end(name);
        };
        work();
      });
    });
    const pod = new Pod(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return pod;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when everything under way has been answered and the last connection is closed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeIdleConnections();
    await closed;
  }
}

/** Asks again and again on kept connections until `stop`; resolves with every answer's status. */
function load(port: number, method: string, clients: number): { statuses: number[]; stop: () => Promise<void> } {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const statuses: number[] = [];
  const stopping = new AbortController();
  const client = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const body = method === "POST" ? "hello" : "";
      const headers = body === "" ? {} : { "Content-Length": body.length };
      const asked = request({ agent, port, host: "127.0.0.1", method, headers }).end(body);
      const [answer] = (await once(asked, "response")) as [IncomingMessage];
      answer.resume();
      await once(answer, "end");
      statuses.push(answer.statusCode!);
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  const stop = async (): Promise<void> => {
    stopping.abort();
    await all;
    agent.destroy();
  };
  return { statuses, stop };
}

const PODS = 3;
const ROUNDS = 1;
/** Answers between two steps of the restart. */
const BETWEEN = 60;

interface Cluster {
  proxy: Proxy;
  port: number;
  pods: Pod[];
  /** Tells the proxy which pods there are. */
  publish: () => Promise<void>;
}

async function withPods(
  more: { route?: Partial<Route>; service?: Partial<Service> },
  run: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const pods = await Promise.all(Array.from({ length: PODS }, (_, at) => Pod.start(`pod-${at}`)));
  const proxy = createProxy();
  const apply = async (): Promise<number> => {
    const ready = {
      ...service(
        "s",
        pods.map(({ port }) => port),
      ),
      ...more.service,
    };
    const [state] = await proxy.apply(
      table([listener({ "*": [route("/*", "s", { id: "r", ...more.route })] })], [ready]),
    );
    return state!.port;
  };
  const port = await apply();
  const publish = async (): Promise<void> => void (await apply());
  try {
    await run({ proxy, port, pods, publish });
  } finally {
    await proxy.close({ graceMs: 0 });
    await Promise.all(pods.map((pod) => pod.stop()));
  }
}

/** Replaces every pod, `ROUNDS` times, under load; resolves with the statuses of all answers. */
async function restart(
  { port, pods, publish }: Cluster,
  methods: string[],
  replace: (old: Pod, swap: () => Promise<void>, more: () => Promise<void>) => Promise<void>,
): Promise<number[]> {
  const loads = methods.map((method) => load(port, method, 8));
  const count = (): number => loads.reduce((sum, { statuses }) => sum + statuses.length, 0);
  const more = async (): Promise<void> => {
    for (const before = count(); count() < before + BETWEEN;) await new Promise((resolve) => setImmediate(resolve));
  };
  for (let step = 0; step < PODS * ROUNDS; step++) {
    await more();
    const at = step % PODS;
    const old = pods[at]!;
    const fresh = await Pod.start(`pod-${at}-${step}`);
    await replace(
      old,
      async () => {
        pods[at] = fresh;
        await publish();
      },
      more,
    );
    await more();
    assert.ok(fresh.served > 0, "the new pod is used");
  }
  for (const each of loads) await each.stop();
  return loads.flatMap(({ statuses }) => statuses);
}

const failed = (statuses: number[]): number[] => statuses.filter((status) => status !== 200);

describe("a rolling restart", () => {
  it("that takes each pod out of the table before it stops fails no request of any method", async () => {
    await withPods({}, async (cluster) => {
      const statuses = await restart(cluster, ["GET", "POST"], async (old, swap, more) => {
        await swap();
        // As pods wait a moment (preStop): what was sent to them before arrives.
        await more();
        await old.stop();
      });
      assert.deepEqual(failed(statuses), []);
      assert.ok(statuses.length >= 2 * BETWEEN * PODS * ROUNDS);
    });
  });

  it("that stops each pod before it leaves the table fails no idempotent request", async () => {
    await withPods({}, async (cluster) => {
      const statuses = await restart(cluster, ["GET"], async (old, swap) => {
        await old.stop();
        await swap();
      });
      assert.deepEqual(failed(statuses), []);
    });
  });

  it("that stops each pod before it leaves the table fails no request at all where the route allows a retry", async () => {
    const retry = { statuses: [], attempts: 2, backoff: 0 };
    await withPods({ route: { retry } }, async (cluster) => {
      const statuses = await restart(cluster, ["GET", "POST"], async (old, swap) => {
        await old.stop();
        await swap();
      });
      assert.deepEqual(failed(statuses), []);
    });
  });

  it("of the only pod fails nothing when the new one is there first, whatever the balancing", async () => {
    for (const balancing of [
      { type: "least-requests" },
      { type: "consistent-hash", by: { source: "address" } },
    ] as NonNullable<Service["balancing"]>[]) {
      await withPods({ service: { balancing } }, async (cluster) => {
        const { port, pods, publish } = cluster;
        const asked = load(port, "POST", 8);
        const more = async (): Promise<void> => {
          const before = asked.statuses.length;
          while (asked.statuses.length < before + BETWEEN) await new Promise((resolve) => setImmediate(resolve));
        };
        await more();
        const old = pods.splice(0);
        pods.push(await Pod.start("only"));
        await publish();
        await more();
        await Promise.all(old.map((pod) => pod.stop()));
        await more();
        await asked.stop();
        assert.deepEqual(failed(asked.statuses), []);
        assert.ok(pods[0]!.served > 0);
      });
    }
  });
});
