// /metrics: what the server counts, under the names that dashboards for kube-apiserver know (Prometheus text format 0.0.4).

import { kubernetesVersion } from "@gatehouse/apimachinery/kubernetes-version";
import type { Store } from "../storage/store.ts";

/** What a request was, for its counters. */
export interface CountedRequest {
  verb: string;
  group: string;
  version: string;
  resource: string;
  subresource: string;
}

/** Upper bounds in seconds. */
const buckets = [0.005, 0.025, 0.1, 0.5, 1, 5, 30];

interface Series {
  labels: string;
  codes: Map<number, number>;
  /** Answers within each bucket's bound, not cumulated; the last is for all longer ones. */
  within: number[];
  sum: number;
}

/** Counts requests by what they asked for: bounded, as only resources that are served are told apart. */
export class Metrics {
  readonly #store: Store;
  readonly #series = new Map<string, Series>();
  #watches = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** An answer is complete. Watches last as long as they like: their time says nothing. */
  answered(request: CountedRequest, code: number, seconds: number): void {
    const labels = labelled({ ...request });
    let series = this.#series.get(labels);
    if (!series) this.#series.set(labels, (series = newSeries(labels)));
    series.codes.set(code, (series.codes.get(code) ?? 0) + 1);
    if (request.verb === "WATCH") return;
    const at = buckets.findIndex((bound) => seconds <= bound);
    const index = at < 0 ? buckets.length : at;
    series.within[index] = (series.within[index] ?? 0) + 1;
    series.sum += seconds;
  }

  /** A watch began (+1) or ended (-1). */
  watches(change: 1 | -1): void {
    this.#watches += change;
  }

  /** The text of /metrics. */
  text(): string {
    const series = [...this.#series.values()];
    const total = series.flatMap(({ labels, codes }) =>
      [...codes].map(([code, count]) => `apiserver_request_total{code="${code}",${labels}} ${count}`),
    );
    const objects = this.#store
      .resources()
      .map(
        (resource) =>
          `apiserver_storage_objects{${labelled({ resource: resourceName(resource) })}} ${this.#store.count(resource)}`,
      );
    const { major, minor, gitVersion } = kubernetesVersion;
    return [
      ...metric("apiserver_request_total", "counter", "Requests answered.", total),
      ...metric(
        "apiserver_request_duration_seconds",
        "histogram",
        "Time to the answer's end.",
        series.flatMap(histogram),
      ),
      ...metric("apiserver_longrunning_requests", "gauge", "Open watches.", [
        `apiserver_longrunning_requests{verb="WATCH"} ${this.#watches}`,
      ]),
      ...metric("apiserver_storage_objects", "gauge", "Stored objects.", objects),
      ...metric("kubernetes_build_info", "gauge", "The version spoken.", [
        `kubernetes_build_info{${labelled({ major, minor, git_version: gitVersion })}} 1`,
      ]),
      ...processMetrics(),
      "",
    ].join("\n");
  }
}

const newSeries = (labels: string): Series => ({
  labels,
  codes: new Map(),
  within: buckets.map(() => 0).concat(0),
  sum: 0,
});

function histogram({ labels, within, sum }: Series): string[] {
  const name = "apiserver_request_duration_seconds";
  let count = 0;
  const lines = within.map((number, index) => {
    count += number;
    return `${name}_bucket{${labels},le="${buckets[index] ?? "+Inf"}"} ${count}`;
  });
  return count === 0 ? [] : [...lines, `${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`];
}

function processMetrics(): string[] {
  const { user, system } = process.cpuUsage();
  const started = Date.now() / 1000 - process.uptime();
  return [
    ["process_cpu_seconds_total", "counter", "CPU time of the process.", (user + system) / 1e6],
    ["process_resident_memory_bytes", "gauge", "Resident memory.", process.memoryUsage.rss()],
    ["process_start_time_seconds", "gauge", "Start since the epoch.", started],
  ].flatMap(([name, type, help, value]) => metric(String(name), String(type), String(help), [`${name} ${value}`]));
}

function metric(name: string, type: string, help: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}

/** `apps/deployments` as RBAC names it: `deployments.apps`. */
function resourceName(resource: string): string {
  const [group = "", plural = ""] = resource.split("/");
  return group ? `${plural}.${group}` : plural;
}

function labelled(labels: Record<string, string>): string {
  const quoted = (value: string): string =>
    value.replaceAll(/["\\\n]/g, (sign) => (sign === "\n" ? "\\n" : `\\${sign}`));
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${quoted(value)}"`)
    .join(",");
}
