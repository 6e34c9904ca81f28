// Endpoints of an EndpointSlice (discovery.k8s.io/v1).

import { mayRepeat } from "../../schema/validate.ts";
import { objectReference } from "./references.ts";
import { bool, field, int32, listOf, oneOf, setOf, str, stringMap, struct } from "../schema-helpers.ts";

const endpointConditions = struct("discovery.v1.EndpointConditions", "State of an endpoint.", {
  ready: bool("Whether it takes traffic; absent counts as true."),
  serving: bool("Whether it answers, even while ending."),
  terminating: bool("Whether it is ending."),
});

const forNode = struct("discovery.v1.ForNode", "A node.", {
  "name!": str(undefined, { default: "" }),
});

const forZone = struct("discovery.v1.ForZone", "A zone.", {
  "name!": str(undefined, { default: "" }),
});

const endpointHints = struct("discovery.v1.EndpointHints", "Who should use an endpoint.", {
  forNodes: listOf(forNode),
  forZones: listOf(forZone),
});

export const endpoint = struct("discovery.v1.Endpoint", "A pod behind a Service.", {
  "addresses!": mayRepeat(setOf(str(), "Its addresses.")),
  conditions: field(endpointConditions, "Its state.", { default: {} }),
  deprecatedTopology: stringMap(),
  hints: endpointHints,
  hostname: str(),
  nodeName: str("The node it runs on."),
  targetRef: field(objectReference, "The pod."),
  zone: str("The zone it runs in."),
});

export const endpointPort = struct(
  "discovery.v1.EndpointPort",
  "A port of the endpoints.",
  {
    appProtocol: str("Protocol spoken on the port."),
    name: str("Name, as in the Service.", { default: "" }),
    port: int32("The port."),
    protocol: oneOf(["TCP", "UDP", "SCTP"], "TCP, UDP or SCTP.", { default: "TCP" }),
  },
  { "x-kubernetes-map-type": "atomic" },
);
