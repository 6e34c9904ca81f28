// The proxy's counters in Prometheus' text format, under Traefik's names where the meaning is the same.

import type { ProxyStats } from "@gatehouse/proxy/stats";

interface Metric {
  name: string;
  type: "counter" | "gauge";
  help: string;
  samples: [labels: Record<string, string>, value: number][];
}

/** `code` is a class such as `2xx`: the proxy does not count single statuses. */
export function renderMetrics(stats: ProxyStats): string {
  const { listeners, services, routes } = stats;
  const metrics: Metric[] = [
    requests("traefik_entrypoint_requests_total", "entrypoint", listeners),
    requests("traefik_router_requests_total", "router", routes),
    requests("traefik_service_requests_total", "service", services),
    seconds("traefik_entrypoint_request_duration_seconds_sum", "entrypoint", listeners),
    {
      name: "traefik_open_connections",
      type: "gauge",
      help: "How many open connections exist, by entrypoint.",
      samples: Object.entries(listeners).map(([entrypoint, { connectionsOpen }]) => [{ entrypoint }, connectionsOpen]),
    },
    {
      name: "process_resident_memory_bytes",
      type: "gauge",
      help: "Resident memory size in bytes.",
      samples: [[{}, process.memoryUsage.rss()]],
    },
  ];
  return metrics.map(render).join("");
}

type Traffic = Record<string, ProxyStats["routes"][string]>;

function requests(name: string, label: string, traffic: Traffic): Metric {
  const samples = Object.entries(traffic).flatMap(([key, { statuses }]) =>
    statuses.flatMap((value, index): Metric["samples"] =>
      value > 0 ? [[{ [label]: key, code: `${index}xx` }, value]] : [],
    ),
  );
  return {
    name,
    type: "counter",
    help: `How many HTTP requests were processed, by ${label} and status class.`,
    samples,
  };
}

function seconds(name: string, label: string, traffic: Traffic): Metric {
  const samples = Object.entries(traffic).map(([key, { durationSum }]): Metric["samples"][number] => [
    { [label]: key },
    durationSum / 1000,
  ]);
  return { name, type: "counter", help: `Time spent on requests in seconds, by ${label}.`, samples };
}

function render({ name, type, help, samples }: Metric): string {
  const lines = samples.map(([labels, value]) => {
    const list = Object.entries(labels).map(
      ([key, text]) => `${key}="${text.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}"`,
    );
    return `${name}${list.length > 0 ? `{${list.join(",")}}` : ""} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}
