// Many routes attached to one Gateway at once and taken away again: are they counted right, how soon, and by how many writes?

import { gateways, type Gateway } from "@gatehouse/gateway-api/gateway";
import { httpRoutes } from "@gatehouse/gateway-api/http-route";
import { RawClient, type Target } from "../raw-client.ts";
import { httpRoute } from "./objects.ts";
import { firstAnswer, type ScenarioContext, type ScenarioDefinition, spreadOver } from "./scenario.ts";
import { AcceptedRoutes, createRoute, deleteRoute, type Live, type Site } from "./site.ts";

const namespace = "bench-routes-attached";
const connections = 16;
/** Of those that ask the gateway: its answers wait behind the statuses that it writes meanwhile, and are not to add up. */
const askers = 50;

export const attached: ScenarioDefinition = {
  name: "attached",
  title: "HTTPRoutes attached to one Gateway, and taken away",
  run: async (context) => {
    const { site } = context;
    const target = await site.makeBase(namespace);
    await site.follow(gateways, { namespace }, (gateway) =>
      site.follow(httpRoutes, { namespace }, async (routes) => {
        const accepted = new AcceptedRoutes(routes, site.signal);
        await attachAndDetach(context, target, new GatewayStatuses(gateway), accepted);
      }),
    );
  },
};

async function attachAndDetach(
  { site, routes, tell }: ScenarioContext,
  target: Target,
  gateway: GatewayStatuses,
  accepted: AcceptedRoutes,
): Promise<void> {
  const count = Math.min(routes, 1_000);
  const clients = await site.clients(connections);
  const settled = Promise.all([accepted.until(count), gateway.until(count)]);
  const created: number[] = [];
  await spreadOver(clients, count, site.signal, async (client, index) => {
    const place = { namespace, host: hostOf(index), base: namespace };
    created.push(await createRoute(client, httpRoute(nameOf(index), place)));
  });
  const last = Math.max(...created);
  const [[acceptedAt, countedAt], answeredAt] = await Promise.all([settled, askAll(site, target, count)]);
  tell({ name: "attachedRoutes once all are attached", value: gateway.attached, unit: "", aim: { exactly: count } });
  const setUp = Math.max(acceptedAt, countedAt) - last;
  tell({
    name: "every route Accepted and counted, after the last create's answer",
    value: setUp,
    unit: "ms",
    aim: { below: 500 },
  });
  tell({ name: "every route answered 200, after it", value: answeredAt - last, unit: "ms", aim: { below: 500 } });
  tell({ name: "writes of the Gateway's status until then", value: gateway.writes, unit: "" });

  const none = gateway.until(0);
  const deleted: number[] = [];
  await spreadOver(clients, count, site.signal, async (client, index) => {
    deleted.push(await deleteRoute(client, namespace, nameOf(index)));
  });
  const gone = (await none) - Math.max(...deleted);
  tell({ name: "attachedRoutes once all are gone", value: gateway.attached, unit: "", aim: { exactly: 0 } });
  tell({ name: "none counted, after the last delete's answer", value: gone, unit: "ms", aim: { below: 500 } });
  tell({ name: "writes of the Gateway's status in all", value: gateway.writes, unit: "", aim: { atMost: 50 } });
  for (const client of clients) client.close();
}

/** Resolves with the moment at which every route had answered. */
async function askAll({ signal }: Site, target: Target, count: number): Promise<number> {
  const gateways = await Promise.all(Array.from({ length: askers }, () => RawClient.open(target)));
  const moments: number[] = [];
  await spreadOver(gateways, count, signal, async (gateway, index) => {
    moments.push((await firstAnswer(gateway, hostOf(index), signal)).at);
  });
  for (const gateway of gateways) gateway.close();
  return Math.max(...moments);
}

const nameOf = (index: number): string => `route-${index}`;
const hostOf = (index: number): string => `host-${index}.attached.test`;

/** What a Gateway's status says, and how often it was written since this began. */
class GatewayStatuses {
  readonly #live: Live<Gateway>;
  readonly #versions = new Set<string | undefined>();

  constructor(live: Live<Gateway>) {
    this.#live = live;
    live.informer.onChange(({ current }) => this.#versions.add(current?.metadata.resourceVersion));
  }

  /** The version that was there is none. */
  get writes(): number {
    return this.#versions.size - 1;
  }

  get attached(): number {
    return attachedTo([...this.#live.informer.objects.values()]) ?? Number.NaN;
  }

  /** Resolves with the moment at which so many are counted. */
  until(count: number): Promise<number> {
    return this.#live.until((found) => attachedTo(found) === count, `attachedRoutes ${count}`);
  }
}

const attachedTo = ([gateway]: readonly Gateway[]): number | undefined =>
  gateway?.status?.listeners?.[0]?.attachedRoutes;
