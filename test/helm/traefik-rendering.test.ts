// The embedded cluster renders the Traefik chart itself, without helm. Helm's rendering of the chart beside this file, which
// follows the official one, says whether it does so rightly.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { DaemonSet, Deployment } from "@gatehouse/apimachinery/types/apps-v1";
import type { Service } from "@gatehouse/apimachinery/types/core-v1";
import { renderTraefikChart } from "@gatehouse/cli/providers/embedded/traefik-chart";
import { parse, parseAllDocuments, stringify } from "yaml";
import { run } from "../system/test-cluster.ts";
import { findHelm } from "../tools/find-helm.ts";
import { chart, demoValues } from "./helm-fixture.ts";

type Values = Record<string, any>;
type ClusterRole = KubeObject & { rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[] };

const release = { name: "traefik", namespace: "traefik" };
const { program, skip } = findHelm();

async function renderedByHelm(values: Values): Promise<KubeObject[]> {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-helm-"));
  try {
    const file = join(directory, "values.yaml");
    writeFileSync(file, stringify(values));
    const inNamespace = ["--namespace", release.namespace, "--kube-version", "1.34"];
    const { code, stdout, stderr } = await run(
      program,
      ["template", release.name, chart, ...inNamespace, "--values", file],
      { ...process.env, HOME: directory },
    );
    assert.equal(code, 0, stderr);
    return parseAllDocuments(stdout).map((document) => document.toJSON() as KubeObject);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What decides on traffic: labels, the security context and the volumes that only the official image needs are left out. */
function essence(objects: KubeObject[]): Record<string, unknown> {
  const named = (kind: string) => objects.find((object) => object.kind === kind);
  const service = named("Service") as Service | undefined;
  const workload = (named("DaemonSet") ?? named("Deployment")) as DaemonSet | Deployment;
  const container = workload.spec.template.spec.containers[0];
  assert.ok(container);
  const { image, imagePullPolicy, args, ports, readinessProbe, livenessProbe } = container;
  return {
    objects: objects.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.namespace ?? ""}`).toSorted(),
    gatewayClass: (named("GatewayClass") as { spec?: unknown } | undefined)?.spec,
    service: service?.spec,
    workload: { ...workload.spec, template: {} },
    container: { image, imagePullPolicy, args, ports, readinessProbe, livenessProbe },
  };
}

/** One line for each verb on each resource. */
function permissions(objects: KubeObject[]): string[] {
  const role = objects.find(({ kind }) => kind === "ClusterRole") as ClusterRole;
  return role.rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((name) => verbs.map((verb) => `${verb} ${group}/${name}`))),
  );
}

const cases: [what: string, change: (values: Values) => void][] = [
  ["the demo's values", () => {}],
  [
    "a Deployment behind a load balancer",
    (values) => {
      values.deployment = { kind: "Deployment", replicas: 2 };
      values.updateStrategy.rollingUpdate = { maxUnavailable: 0, maxSurge: 1 };
      values.service.type = "LoadBalancer";
      values.ports.web.hostPort = null;
    },
  ],
  [
    "entrypoints of one's own, one taken away, plain text on websecure",
    (values) => {
      values.ports.admin = { port: 7000, exposedPort: 7001, expose: { default: true }, protocol: "TCP" };
      values.ports.metrics = null;
      values.metrics = { prometheus: null };
      values.ports.websecure.http = { tls: { enabled: false } };
    },
  ],
  [
    "logs and the gateway provider narrowed",
    (values) => {
      values.logs = { general: { level: "DEBUG", format: "json" }, access: { enabled: true, format: "json" } };
      values.providers.kubernetesGateway = { enabled: true, namespaces: ["a", "b"], labelSelector: "app=x" };
      values.gatewayClass = { enabled: false };
      values.global = { checkNewVersion: true, sendAnonymousUsage: true };
    },
  ],
];

for (const [what, change] of cases) {
  test(`rendered as helm does: ${what}`, { skip }, async () => {
    const values = parse(readFileSync(demoValues, "utf8")) as Values;
    change(values);
    const [ours, helms] = [renderTraefikChart(values, release, "values.yaml"), await renderedByHelm(values)];
    assert.deepEqual(essence(ours), essence(helms));
    const granted = new Set(permissions(ours));
    assert.deepEqual(
      permissions(helms).filter((permission) => !granted.has(permission)),
      [],
    );
  });
}
