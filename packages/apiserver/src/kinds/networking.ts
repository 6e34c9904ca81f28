// The kinds of networking.k8s.io/v1: stored and validated; routing is the Gateway API's matter here.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceDefinition } from "../resource-definition.ts";
import { ingressClassStrategy } from "../strategies/ingress-class.ts";
import { ingressStrategy } from "../strategies/ingress.ts";
import { ageColumn, column, nameColumn } from "./columns.ts";
import { builtIn } from "./definition-helpers.ts";
import { ingressColumns } from "./service-columns.ts";
import { ingressClassSpec, ingressSpec, ingressStatus } from "./types/ingress.ts";

interface IngressClass extends KubeObject {
  spec?: { controller?: string; parameters?: { kind: string; name: string; apiGroup?: string } };
}

const networking = (plural: string, kind: string, namespaced: boolean) => ({
  group: "networking.k8s.io",
  version: "v1",
  plural,
  kind,
  namespaced,
});

function parameters({ spec }: IngressClass): string {
  if (!spec?.parameters) return "<none>";
  const { kind, name, apiGroup } = spec.parameters;
  return `${apiGroup === undefined ? kind : `${kind}.${apiGroup}`}/${name}`;
}

export function networkingDefinitions(): ResourceDefinition[] {
  return [
    builtIn(networking("ingresses", "Ingress", true), {
      package: "networking.v1",
      description: "Rules that send requests from outside to Services.",
      fields: { spec: ingressSpec, status: ingressStatus },
      shortNames: ["ing"],
      columns: ingressColumns,
      subresources: { status: true },
      strategy: ingressStrategy,
    }),
    builtIn(networking("ingressclasses", "IngressClass", false), {
      package: "networking.v1",
      description: "A controller that serves Ingresses.",
      fields: { spec: ingressClassSpec },
      columns: [
        nameColumn,
        column<IngressClass>("Controller", "Name of the controller.", ({ spec }) => spec?.controller ?? ""),
        column<IngressClass>("Parameters", "Settings of the controller.", parameters),
        ageColumn,
      ],
      strategy: ingressClassStrategy,
    }),
  ];
}
