// A route under continuous requests, while where it leads changes every 200 ms between two ports that both serve: does a
// client ever see it?

import { services } from "@gatehouse/apimachinery/types/core-v1";
import { RawClient, type Target } from "../raw-client.ts";
import { backendName, containerPorts, httpRoute, servicePorts } from "./objects.ts";
import { firstAnswer, pause, type ScenarioContext, type ScenarioDefinition, withGateway } from "./scenario.ts";
import { changeRoute, createRoute } from "./site.ts";

const namespace = "bench-routes-flips";
const host = "flips.test";
const routeName = "flips";
const everyMs = 200;
const connections = 4;

interface Traffic {
  /** Answers 200, by the name that the container gave. */
  answers: Map<string, number>;
  /** What was not 200: a status, or an error of the connection. */
  failures: string[];
}

export const flips: ScenarioDefinition = {
  name: "flips",
  title: `A route whose backend changes every ${everyMs} ms, under continuous requests of ${connections} connections`,
  run: async (context) => {
    const { site } = context;
    const target = await site.makeBase(namespace);
    const client = await site.client();
    await createRoute(client, httpRoute(routeName, { namespace, host, base: namespace }));
    await withGateway(target, (gateway) => firstAnswer(gateway, host, site.signal));
    await measure(context, target, "the HTTPRoute's backendRef and filter", (even) =>
      changeRoute(client, namespace, routeName, { rules: [ruleTo(even ? "first" : "second")] }),
    );
    // The port that is flipped next is that of the route.
    await changeRoute(client, namespace, routeName, { rules: [ruleTo("first")] });
    await measure(context, target, "the Service's targetPort", (even) =>
      site.api.patch(services, { name: backendName, namespace }, "strategic-merge", {
        spec: { ports: [{ port: servicePorts.first, targetPort: containerPorts[even ? "first" : "second"] }] },
      }),
    );
    client.close();
  },
};

/** As the public bench has it: with the port, a filter comes and goes. */
function ruleTo(name: keyof typeof servicePorts): unknown {
  const filter = {
    type: "ResponseHeaderModifier",
    responseHeaderModifier: { add: [{ name: "x-bench", value: name }] },
  };
  return {
    ...(name === "first" ? { filters: [filter] } : {}),
    backendRefs: [{ name: backendName, port: servicePorts[name] }],
  };
}

async function measure(
  { site, seconds, tell, note }: ScenarioContext,
  target: Target,
  what: string,
  flip: (even: boolean) => Promise<unknown>,
): Promise<void> {
  const stopped = new AbortController();
  const traffic: Traffic = { answers: new Map(), failures: [] };
  const asking = Promise.all(Array.from({ length: connections }, () => keepAsking(target, traffic, stopped.signal)));
  let changes = 0;
  try {
    for (const end = performance.now() + seconds * 1_000; performance.now() < end; changes++) {
      site.signal.throwIfAborted();
      const next = performance.now() + everyMs;
      await flip(changes % 2 === 1);
      await pause(Math.max(next - performance.now(), 0));
    }
  } finally {
    stopped.abort();
    await asking;
  }
  tell({ name: `${what}: answers that were not 200`, value: traffic.failures.length, unit: "", aim: { exactly: 0 } });
  tell({ name: `${what}: backends that answered`, value: traffic.answers.size, unit: "", aim: { exactly: 2 } });
  const served = [...traffic.answers].map(([name, count]) => `${count} by the ${name} port`).join(", ");
  note(`${what}: ${changes} changes in ${seconds} s; answered ${served}`);
  if (traffic.failures.length > 0) note(`what was not 200: ${[...new Set(traffic.failures)].join(", ")}`);
}

async function keepAsking(target: Target, { answers, failures }: Traffic, signal: AbortSignal): Promise<void> {
  let client: RawClient | undefined;
  while (!signal.aborted) {
    try {
      client ??= await RawClient.open(target);
      const { status, body } = await client.get(host, "/");
      const name = /^Name: (.*)$/m.exec(body)?.[1] ?? "unknown";
      if (status === 200) answers.set(name, (answers.get(name) ?? 0) + 1);
      else failures.push(String(status));
    } catch (error) {
      failures.push((error as Error).message);
      client?.close();
      client = undefined;
      await pause(1);
    }
  }
  client?.close();
}
