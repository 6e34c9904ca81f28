// What one change of a route costs, by how many routes there are: latency until a request shows it, processor time of the
// gateway; and its memory with all of them.

import { httpRoutes } from "@gatehouse/gateway-api/http-route";
import { cpuMicros, memoryOf } from "../proxy/process-usage.ts";
import type { RawClient, Target } from "../raw-client.ts";
import { benchLabels, httpRoute, referenceGrant } from "./objects.ts";
import { spread } from "./report.ts";
import { firstAnswer, type ScenarioContext, type ScenarioDefinition, spreadOver, withGateway } from "./scenario.ts";
import { AcceptedRoutes, changeRoute, createRoute } from "./site.ts";
import { referenceGrants } from "@gatehouse/gateway-api/reference-grant";

const base = "bench-routes-scale";
const namespacesCount = 100;
const connections = 16;
const sizes = [10, 100, 1_000, 10_000];
/** Changes whose effect is waited for by requests. */
const shownChanges = 50;
/** Changes for the processor time: its clock ticks a hundred times a second. */
const countedChanges = 400;

const namespaceOf = (index: number): string => `${base}-${index % namespacesCount}`;
const nameOf = (index: number): string => `route-${index}`;

/** Of the changes at one size. */
interface Cost {
  size: number;
  /** Milliseconds from the change's answer until a request shows it. */
  latencies: number[];
  /** Microseconds of the gateway's processor time per change, its status included; NaN when it is not ours to see. */
  processor: number;
}

export const scale: ScenarioDefinition = {
  name: "scale",
  title: `One change of an HTTPRoute, among many in ${namespacesCount} namespaces`,
  run: async (context) => {
    const { site, pid } = context;
    const target = await site.makeBase(base);
    for (let index = 0; index < namespacesCount; index++) {
      await site.makeNamespace(namespaceOf(index));
      await site.api.create(referenceGrants, referenceGrant(namespaceOf(index), base));
    }
    const before = pid === undefined ? Number.NaN : mebibytes(pid);
    const costs: Cost[] = [];
    await site.follow(httpRoutes, { labelSelector: labelSelector() }, async (live) => {
      const accepted = new AcceptedRoutes(live, site.signal);
      const clients = await site.clients(connections);
      for (const size of sizes.filter((size, index) => index === 0 || size <= context.routes)) {
        const from = costs.at(-1)?.size ?? 0;
        await spreadOver(clients, size - from, site.signal, (client, index) =>
          createRoute(client, routeAt(from + index, 0)),
        );
        await accepted.until(size);
        costs.push(await costOf(context, { size, target, client: clients[0] as RawClient, accepted }));
      }
      for (const client of clients) client.close();
    });
    report(context, costs, before);
  },
};

const labelSelector = (): string =>
  Object.entries(benchLabels)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");

function routeAt(index: number, change: number) {
  return httpRoute(nameOf(index), { namespace: namespaceOf(index), host: hostOf(index, change), base });
}

const hostOf = (index: number, change: number): string => `host-${index}-${change}.scale.test`;

interface Surroundings {
  size: number;
  target: Target;
  client: RawClient;
  accepted: AcceptedRoutes;
}

async function costOf({ site, pid }: ScenarioContext, surroundings: Surroundings): Promise<Cost> {
  const { size, target, client, accepted } = surroundings;
  let changes = 0;
  const change = async (): Promise<{ answered: number; host: string }> => {
    const number = ++changes;
    // Spread over all of them: what was changed last is warm.
    const index = (number * 37) % size;
    const host = hostOf(index, number + size);
    return { answered: await changeRoute(client, namespaceOf(index), nameOf(index), { hostnames: [host] }), host };
  };
  const latencies: number[] = [];
  await withGateway(target, async (gateway) => {
    for (let round = 0; round < shownChanges; round++) {
      const { answered, host } = await change();
      latencies.push((await firstAnswer(gateway, host, site.signal)).at - answered);
    }
  });
  await accepted.until(size);
  if (pid === undefined) return { size, latencies, processor: Number.NaN };
  const began = cpuMicros(pid);
  for (let round = 0; round < countedChanges; round++) {
    await change();
    // One after the other: changes that come together are one translation, and would look cheap.
    await accepted.until(size);
  }
  return { size, latencies, processor: (cpuMicros(pid) - began) / countedChanges };
}

const mebibytes = (pid: number): number => memoryOf(pid).pss / 1_024;

function report({ tell, note, pid }: ScenarioContext, costs: readonly Cost[], before: number): void {
  for (const { size, latencies, processor } of costs) {
    const { p50, max } = spread(latencies);
    tell({ name: `${size} routes: a changed host answers, median of ${shownChanges}`, value: p50, unit: "ms" });
    tell({ name: "- at most", value: max, unit: "ms" });
    if (!Number.isNaN(processor))
      tell({ name: "- processor time of the gateway per change", value: processor / 1_000, unit: "ms" });
  }
  const [few, many] = [costs[0], costs.at(-1)];
  if (!few || !many) return;
  const ratio = (of: (cost: Cost) => number): number => of(many) / of(few);
  const compared = `with ${many.size} routes against ${few.size}`;
  const aim = { atMost: 1.25 };
  tell({
    name: `median latency ${compared}`,
    value: ratio(({ latencies }) => spread(latencies).p50),
    unit: "times",
    aim,
  });
  if (pid === undefined) return note("processor time and memory: the gateway's process is not known (--pid)");
  tell({ name: `processor time ${compared}`, value: ratio(({ processor }) => processor), unit: "times", aim });
  tell({
    name: `memory of the gateway with ${many.size} routes (PSS)`,
    value: mebibytes(pid),
    unit: "MiB",
    aim: { below: 150 },
  });
  note(`memory of the gateway before (PSS): ${before.toFixed(0)} MiB`);
}
