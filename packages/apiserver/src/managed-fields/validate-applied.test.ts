import assert from "node:assert/strict";
import { test } from "node:test";
import { deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { builtInDefinitions } from "../kinds/built-in.ts";
import { typedSchema } from "./typed-schema.ts";
import { appliedFaults } from "./validate-applied.ts";

const definition = builtInDefinitions().find(({ type }) => type.kind === deployments.kind);
const schema = typedSchema(definition?.schema ?? {});

const faultsOf = (spec: object): string[] => appliedFaults(schema, { apiVersion: "apps/v1", kind: "Deployment", spec });
const pod = (...containers: unknown[]): object => ({ template: { spec: { containers } } });

const cases: [spec: object, fault: string][] = [
  [{ replcas: 1 }, ".spec.replcas: field not declared in schema"],
  [{ replicas: "1" }, '.spec.replicas: expected numeric (int or float), got "1"'],
  [{ paused: 1 }, ".spec.paused: expected boolean, got 1"],
  [{ template: [] }, ".spec.template: expected map, got a list"],
  [pod({ name: "a", image: 1 }), '.spec.template.spec.containers[name="a"].image: expected string, got 1'],
  [pod({ name: "a", args: {} }), '.spec.template.spec.containers[name="a"].args: expected list, got a map'],
  [pod({ name: "a" }, { name: "a" }), '.spec.template.spec.containers: duplicate entries for key [name="a"]'],
  [
    pod({ name: "a", ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "TCP" }] }),
    '.spec.template.spec.containers[name="a"].ports: duplicate entries for key [containerPort=80,protocol="TCP"]',
  ],
  [pod("a"), ".spec.template.spec.containers: element 0: associative list with keys may not have non-map elements"],
  [
    { template: { metadata: { finalizers: [{}] } } },
    ".spec.template.metadata.finalizers: element 0: associative list without keys has an element that's a map type",
  ],
];

test("configurations that do not fit their type are told why, with the path", () => {
  for (const [spec, fault] of cases) assert.deepEqual(faultsOf(spec), [fault]);
});

test("nulls, amounts, ports by name and free keys fit", () => {
  const container = {
    name: "a",
    resources: { limits: { cpu: 1, memory: "1Gi" } },
    readinessProbe: { httpGet: { port: "http" } },
    livenessProbe: { httpGet: { port: 80 } },
    securityContext: null,
  };
  assert.deepEqual(faultsOf({ ...pod(container), selector: { matchLabels: { "a.b/c": "d" } }, replicas: null }), []);
});
