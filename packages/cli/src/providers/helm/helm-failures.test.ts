import assert from "node:assert/strict";
import { test } from "node:test";
import { failureText } from "../../tools/run-program.ts";
import { helmFailures } from "./helm-failures.ts";

const repository = "https://traefik.github.io/charts";

/** What Helm 3 and 4 really say -> how the remedy begins; undefined: nobody knows one. */
const cases: [name: string, output: string, remedy: RegExp | undefined][] = [
  [
    "no way to the repository",
    `Error: looks like "${repository}" is not a valid chart repository or cannot be reached: Get "${repository}/index.yaml": proxyconnect tcp: dial tcp 127.0.0.1:1: connect: connection refused`,
    /^the chart's repository cannot be reached/,
  ],
  [
    "no repository there",
    `Error: looks like "${repository}/nope" is not a valid chart repository or cannot be reached: failed to fetch ${repository}/nope/index.yaml : 404 Not Found`,
    /^the chart's repository cannot be reached/,
  ],
  [
    "no way to a registry",
    'Error: Get "https://registry.example/v2/traefik/tags/list": dial tcp: lookup registry.example: no such host',
    /^the chart's repository cannot be reached/,
  ],
  [
    "no such version",
    `Error: chart "traefik" version "39.9.9" not found in ${repository} repository`,
    /^there is no such chart/,
  ],
  ["no such chart", `Error: chart "treafik" not found in ${repository} repository`, /^there is no such chart/],
  [
    "the archive is gone",
    `Error: failed to fetch ${repository}/traefik-39.0.1.tgz : 404 Not Found`,
    /^there is no such chart/,
  ],
  [
    "another helm is at work",
    "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
    /^another helm is at work/,
  ],
  [
    "somebody else's objects",
    'Error: Unable to continue with install: ServiceAccount "traefik" in namespace "traefik" exists and cannot be imported into the current release: invalid ownership metadata; label validation error: key "app.kubernetes.io/managed-by" must equal "Helm": current value is "gatehouse"',
    /^an object of the chart is there already/,
  ],
  [
    "no such context (Helm 3)",
    'Error: Kubernetes cluster unreachable: context "nope" does not exist',
    /^the kubeconfig has no such context/,
  ],
  [
    "no such context (Helm 4)",
    'Error: kubernetes cluster unreachable: context "nope" does not exist',
    /^the kubeconfig has no such context/,
  ],
  [
    "cluster down",
    'Error: Kubernetes cluster unreachable: Get "https://127.0.0.1:6443/version": dial tcp 127.0.0.1:6443: connect: connection refused',
    /^the cluster does not answer/,
  ],
  [
    "values that the chart does not know",
    "Error: values don't meet the specifications of the schema(s) in the following chart(s):\ntraefik:\n- at '/ports': got number, want object",
    /^the chart refuses a value/,
  ],
  [
    "no rights",
    'Error: query: failed to query with labels: secrets is forbidden: User "low-user" cannot list resource "secrets" in API group "" in the namespace "traefik"',
    /^this user may not install it/,
  ],
  ["an old Helm", "Error: unknown flag: --labels", /^this helm is too old/],
  ["pods not ready (Helm 3)", "Error: context deadline exceeded", /^the pods did not become ready in time/],
  [
    "pods not ready (older Helm 3)",
    "Error: timed out waiting for the condition",
    /^the pods did not become ready in time/,
  ],
  [
    "pods not ready (Helm 4)",
    "Error: resource DaemonSet/traefik/traefik not ready. status: InProgress, message: Available: 0/1\ncontext deadline exceeded",
    /^the pods did not become ready in time/,
  ],
  ["a path that is not there", 'Error: path "./nochart" not found', /^there is no such chart/],
  [
    "changed by hand (Helm 4)",
    'Error: UPGRADE FAILED: conflict occurred while applying object traefik/traefik apps/v1, Kind=DaemonSet: Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.minReadySeconds',
    /^somebody changed the release's objects by hand/,
  ],
  ["a failure that nobody foresaw", "Error: boom", undefined],
];

for (const [name, output, remedy] of cases) {
  test(`helm fails: ${name}`, () => {
    const text = failureText({ program: "helm", args: [] }, { code: 1, lines: output.split("\n") }, helmFailures);
    const found = /^remedy: (.*)$/m.exec(text)?.[1];
    if (remedy) assert.match(found ?? "none", remedy);
    else assert.equal(found, undefined);
  });
}
