// A CustomResourceDefinition for tests, shaped like the Gateway API's: columns with filters, two served versions.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Schema } from "@gatehouse/apimachinery/schema";

/** What tests change of a fixture. */
interface CrdFixture extends KubeObject {
  spec: {
    group: string;
    scope: string;
    names: Record<string, unknown>;
    versions: [CrdFixtureVersion, CrdFixtureVersion, CrdFixtureVersion];
    [field: string]: unknown;
  };
}

interface CrdFixtureVersion {
  name: string;
  served: boolean;
  storage: boolean;
  schema: { openAPIV3Schema: Schema };
  [field: string]: unknown;
}

const schema = (): Schema => ({
  type: "object",
  required: ["spec"],
  properties: {
    metadata: { type: "object", properties: { name: { type: "string", maxLength: 10 } } },
    spec: {
      type: "object",
      properties: {
        hostnames: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
        replicas: { type: "integer", default: 1 },
        open: { type: "boolean" },
      },
    },
    status: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  },
});

export function crd(): CrdFixture {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "routes.demo.example.com" },
    spec: {
      group: "demo.example.com",
      scope: "Namespaced",
      names: { plural: "routes", kind: "Route", shortNames: ["rt"], categories: ["demo"] },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema() },
          subresources: {
            status: {},
            scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
          },
          selectableFields: [{ jsonPath: ".spec.open" }],
          additionalPrinterColumns: [
            { name: "Hostnames", type: "string", jsonPath: ".spec.hostnames" },
            { name: "Accepted", type: "string", jsonPath: '.status.conditions[?(@.type=="Accepted")].status' },
            { name: "Replicas", type: "integer", jsonPath: ".spec.replicas", priority: 1 },
            { name: "Open", type: "boolean", jsonPath: ".spec.open" },
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          ],
        },
        { name: "v1beta1", served: true, storage: false, deprecated: true, schema: { openAPIV3Schema: schema() } },
        { name: "v1alpha1", served: false, storage: false, schema: { openAPIV3Schema: schema() } },
      ],
    },
  };
}
