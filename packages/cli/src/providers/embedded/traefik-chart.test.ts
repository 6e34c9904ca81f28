import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { DaemonSet } from "@gatehouse/apimachinery/types/apps-v1";
import type { Service } from "@gatehouse/apimachinery/types/core-v1";
import { parse } from "yaml";
import { manifestsDirectory } from "../../program-files.ts";
import { renderTraefikChart } from "./traefik-chart.ts";

const release = { name: "traefik", namespace: "traefik" };
const demoValues = parse(readFileSync(join(manifestsDirectory(), "traefik-values.yaml"), "utf8")) as Record<
  string,
  unknown
>;
const render = (values: unknown) => renderTraefikChart(values, release, "values.yaml");
const demo = () => render(structuredClone(demoValues));

test("the demo's values give the kinds of the chart, in an order in which they can be created", () => {
  assert.deepEqual(
    demo().map((object) => object.kind),
    ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "GatewayClass", "Service", "DaemonSet"],
  );
});

test("the pod has the demo's ports: node port 80 on container port 8000, 443 on 8443, the dashboard on 9000", () => {
  const daemonSet = demo().at(-1) as DaemonSet;
  const container = daemonSet.spec.template.spec.containers[0];
  assert.deepEqual(container?.ports, [
    { name: "metrics", containerPort: 9100, protocol: "TCP" },
    { name: "traefik", containerPort: 9000, protocol: "TCP" },
    { name: "web", containerPort: 8000, hostPort: 80, protocol: "TCP" },
    { name: "websecure", containerPort: 8443, hostPort: 443, protocol: "TCP" },
  ]);
  for (const flag of [
    "--entryPoints.web.address=:8000/tcp",
    "--providers.kubernetesgateway",
    "--api.insecure=true",
    "--accesslog=true",
    "--ping=true",
    "--metrics.prometheus.entrypoint=metrics",
  ]) {
    assert.ok(container?.args?.includes(flag), flag);
  }
  assert.equal(container?.readinessProbe?.initialDelaySeconds, 0);
  assert.equal(container?.readinessProbe?.httpGet?.port, 9000);
  assert.deepEqual(daemonSet.spec.updateStrategy?.rollingUpdate, { maxUnavailable: 1, maxSurge: 0 });
});

test("the Service carries the dashboard's port, so that an HTTPRoute can name it", () => {
  const service = demo().find((object) => object.kind === "Service") as Service;
  assert.equal(service.spec.type, "ClusterIP");
  assert.deepEqual(
    service.spec.ports?.map(({ name, port, targetPort }) => ({ name, port, targetPort })),
    [
      { name: "traefik", port: 9000, targetPort: "traefik" },
      { name: "web", port: 80, targetPort: "web" },
      { name: "websecure", port: 443, targetPort: "websecure" },
    ],
  );
});

test("a port set to null is left out, a port of one's own is added", () => {
  const values = structuredClone(demoValues) as { ports: Record<string, unknown> };
  values.ports.websecure = null;
  values.ports.admin = { port: 7000 };
  const container = (render(values).at(-1) as DaemonSet).spec.template.spec.containers[0];
  assert.deepEqual(
    container?.ports?.map((port) => port.name),
    ["admin", "metrics", "traefik", "web"],
  );
});

test("an access log of the chart keeps fields and drops headers; without one there are no flags of it", () => {
  const flags = (values: unknown) =>
    ((render(values).at(-1) as DaemonSet).spec.template.spec.containers[0]?.args ?? []).filter((flag) =>
      flag.startsWith("--accesslog"),
    );
  const values = structuredClone(demoValues) as { logs: { access: { enabled: boolean } } };
  assert.deepEqual(flags(values), [
    "--accesslog=true",
    "--accesslog.fields.defaultmode=keep",
    "--accesslog.fields.headers.defaultmode=drop",
  ]);
  values.logs.access.enabled = false;
  assert.deepEqual(flags(values), []);
});

test("websecure is TLS, as in the chart, unless its value says otherwise", () => {
  const values = structuredClone(demoValues) as { ports: { websecure: Record<string, unknown> } };
  const flag = "--entryPoints.websecure.http.tls=true";
  const args = () => (render(values).at(-1) as DaemonSet).spec.template.spec.containers[0]?.args ?? [];
  assert.ok(args().includes(flag));
  values.ports.websecure.http = { tls: { enabled: false } };
  assert.ok(!args().includes(flag));
});

const refused: [string, (values: Record<string, any>) => void, RegExp][] = [
  [
    "an unknown value",
    (values) => (values.tracing = { otlp: { enabled: true } }),
    /values\.yaml: tracing is not supported/,
  ],
  ["a misspelt value", (values) => (values.ports.web.hostport = 80), /ports\.web\.hostport is not supported/],
  [
    "the Ingress provider",
    (values) => (values.providers.kubernetesIngress.enabled = true),
    /kubernetesIngress\.enabled must be false/,
  ],
  [
    "the gateway provider off",
    (values) => (values.providers.kubernetesGateway.enabled = false),
    /kubernetesGateway\.enabled must be true/,
  ],
  ["the chart's own Gateway", (values) => (values.gateway.enabled = true), /gateway\.enabled must be false/],
  ["a wrong shape", (values) => (values.ports = 80), /ports must be a mapping/],
];

for (const [what, change, message] of refused) {
  test(`${what} is refused by name`, () => {
    const values = structuredClone(demoValues);
    change(values);
    assert.throws(() => render(values), message);
  });
}
