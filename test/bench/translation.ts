// What one change costs the gateway's translation, by the number of routes that there are: objects in, routing table and
// statuses out, nothing else. The pure core alone, in this process.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import {
  endpoints,
  gateway,
  httpRoute,
  manyRoutes,
  manyRoutesOptions,
  namespaceOf,
} from "@gatehouse/gateway/testing/many-routes";
import type { ObjectKind } from "@gatehouse/gateway/translate/object-store";
import type { Translator } from "@gatehouse/gateway/translate/translator";

const sizes = [10, 100, 1_000, 10_000];
const namespaces = 100;
const rounds = 101;

/** What object number `round` is changed to; `old` is what it was. */
type Change = (round: number) => { kind: ObjectKind; old?: KubeObject; current: KubeObject };

export async function main(): Promise<void> {
  const rows = new Map<string, number[]>();
  for (const size of sizes) {
    for (const [name, microseconds] of measure(size)) rows.set(name, [...(rows.get(name) ?? []), microseconds]);
  }
  const line = (name: string, cells: readonly string[]): string =>
    `${name.padEnd(38)}${cells.map((cell) => cell.padStart(12)).join("")}\n`;
  process.stdout.write(`microseconds, median of ${rounds}; routes in ${namespaces} namespaces\n\n`);
  process.stdout.write(
    line(
      "",
      sizes.map((size) => `${size}`),
    ),
  );
  for (const [name, values] of rows)
    process.stdout.write(
      line(
        name,
        values.map((value) => value.toFixed(0)),
      ),
    );
}

function measure(size: number): [string, number][] {
  const translator = manyRoutes(size, namespaces);
  const began = process.cpuUsage();
  translator.translate(manyRoutesOptions);
  const { user, system } = process.cpuUsage(began);
  return [
    ...Object.entries(changes(size)).map(([name, change]): [string, number] => [name, median(translator, change)]),
    ["everything at first (processor time)", user + system],
  ];
}

function changes(size: number): Record<string, Change> {
  const at = (number: number) => {
    const place = number % size;
    return { name: `route-${place}`, namespace: namespaceOf(place, namespaces), hostname: `host-${place}.test` };
  };
  const changed = (object: KubeObject, round: number): KubeObject => ({
    ...object,
    metadata: { ...object.metadata, generation: round + 2 },
  });
  return {
    "a route's path": (round) => {
      const { name, ...place } = at(round * 37);
      const old = httpRoute(name, place);
      return { kind: "httpRoutes", old, current: changed(httpRoute(name, { ...place, path: `/${round}` }), round) };
    },
    "the endpoints of a Service": (round) => {
      const { name, namespace } = at(round * 37);
      return { kind: "endpointSlices", current: endpoints(name, namespace, `127.30.2.${1 + (round % 250)}`) };
    },
    "a status": (round) => {
      const { name, ...place } = at(round * 41);
      const old = changed(httpRoute(name, place), -1);
      return { kind: "httpRoutes", old, current: { ...old, status: { parents: [] } } };
    },
    "one more route": (round) => {
      const { namespace } = at(round);
      return { kind: "httpRoutes", current: httpRoute(`more-${round}`, { namespace, hostname: `more-${round}.test` }) };
    },
    "a listener of the other Gateway": (round) => ({
      kind: "gateways",
      current: changed(gateway("second", round % 2 ? [8000, 9000] : [8000]), round),
    }),
  };
}

/** In microseconds. */
function median(translator: Translator, change: Change): number {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { kind, ...told } = change(round);
    const began = performance.now();
    translator.change(kind, told);
    translator.translate(manyRoutesOptions);
    times.push((performance.now() - began) * 1_000);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}
