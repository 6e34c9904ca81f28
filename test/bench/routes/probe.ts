// Routes one after another: how soon after the API server's answer does each serve, however many there are?

import { httpRoute } from "./objects.ts";
import { spread } from "./report.ts";
import { firstAnswer, type ScenarioDefinition, withGateway } from "./scenario.ts";
import { createRoute } from "./site.ts";

const namespace = "bench-routes-probe";

export const probe: ScenarioDefinition = {
  name: "probe",
  title: "HTTPRoutes created one after another, each asked for until it answers",
  run: async ({ site, routes, tell, note }) => {
    const count = Math.min(routes, 3_000);
    const target = await site.makeBase(namespace);
    const client = await site.client();
    const latencies: number[] = [];
    const strangers: number[] = [];
    await withGateway(target, async (gateway) => {
      for (let index = 0; index < count; index++) {
        const host = `host-${index}.probe.test`;
        const answered = await createRoute(client, httpRoute(`route-${index}`, { namespace, host, base: namespace }));
        const first = await firstAnswer(gateway, host, site.signal);
        latencies.push(first.at - answered);
        strangers.push(...first.strangers);
      }
    });
    client.close();
    const { mean, p50, p99, max } = spread(latencies);
    tell({
      name: `from the create's answer to the first 200, mean of ${count}`,
      value: mean,
      unit: "ms",
      aim: { below: 5 },
    });
    tell({ name: "- at most", value: max, unit: "ms", aim: { below: 50 } });
    tell({ name: "answers before it that were not 404", value: strangers.length, unit: "", aim: { exactly: 0 } });
    note(`half of them within ${p50.toFixed(1)} ms, 99 of 100 within ${p99.toFixed(1)} ms`);
    if (strangers.length > 0) note(`what was not 404: ${[...new Set(strangers)].join(", ")}`);
  },
};
