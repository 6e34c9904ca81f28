// The kind of discovery.k8s.io/v1.

import { endpointSlices } from "@gatehouse/apimachinery/types/discovery-v1";
import type { EndpointSlice } from "@gatehouse/apimachinery/types/discovery-v1";
import type { ResourceDefinition } from "../resource-definition.ts";
import { endpointSliceStrategy } from "../strategies/endpoint-slice.ts";
import { ageColumn, column, formatList, nameColumn } from "./columns.ts";
import { builtIn } from "./definition-helpers.ts";
import { listOf, oneOf } from "./schema-helpers.ts";
import { endpoint, endpointPort } from "./types/endpoint-slice.ts";

export function discoveryDefinitions(): ResourceDefinition[] {
  return [
    builtIn(endpointSlices, {
      package: "discovery.v1",
      description: "Some of the addresses behind a Service, with the ports they share.",
      fields: {
        "addressType!": oneOf(["IPv4", "IPv6", "FQDN"], "What the addresses are. Cannot be changed."),
        "endpoints!": listOf(endpoint, "The addresses.", { default: [] }),
        ports: listOf(endpointPort, "Ports at each address."),
      },
      columns: [
        nameColumn,
        column<EndpointSlice>("AddressType", "What the addresses are.", ({ addressType }) => addressType),
        column<EndpointSlice>("Ports", "Ports at each address.", ({ ports }) =>
          formatList(
            (ports ?? []).map(({ port, name }) => String(port ?? name ?? "*")),
            "<unset>",
          ),
        ),
        column<EndpointSlice>("Endpoints", "The addresses.", ({ endpoints }) =>
          formatList(
            (endpoints ?? []).flatMap(({ addresses }) => addresses),
            "<unset>",
          ),
        ),
        ageColumn,
      ],
      strategy: endpointSliceStrategy,
    }),
  ];
}
