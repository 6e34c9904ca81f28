// XBackend (experimental): a backend outside the cluster, by host name.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { backendTLSValidation } from "./backend-tls-policy.ts";
import { condition } from "./condition.ts";
import { ageColumn, kindObject, type KindDefinition } from "./kind-definition.ts";
import { controllerName, EXPERIMENTAL_GROUP_NAME, portNumber, preciseHostname } from "./names.ts";
import { parentReference, secretObjectReference } from "./references.ts";
import { atomicList, enumeration, type Infer, mapList, object, rule, string } from "./schema-builder.ts";

const tls = object("TLS towards the backend.", {
  mode: enumeration("Who shows a certificate.", ["None", "ServerOnly", "ClientAndServer"]),
  validation: backendTLSValidation.optional(),
  clientCertificateRef: secretObjectReference
    .describe("Certificate and key with which the gateway identifies itself.")
    .optional(),
}).rules(
  rule(
    "clientCertificateRef must be set if and only if mode is ClientAndServer",
    "self.mode == 'ClientAndServer' ? has(self.clientCertificateRef) : !has(self.clientCertificateRef)",
  ),
);

const port = object("Where the backend listens.", {
  name: string("Name of the port, for references.", { maxLength: 63 })
    .rules(rule("Name must be a valid DNS label", "size(self) == 0 || format.dns1123Label().validate(self) == null"))
    .optional(),
  port: portNumber("Port number."),
});

const spec = object("What the backend is and how to talk to it.", {
  type: enumeration("Kind of backend; says which member describes it.", ["ExternalHostname"]),
  externalHostname: object("A host outside the cluster.", {
    hostname: preciseHostname("Name that is resolved by DNS.").rules(
      rule("hostname must not be an IP address or end with .cluster.local", "!self.endsWith('.cluster.local')"),
    ),
  }).optional(),
  port,
  protocol: enumeration("Protocol the backend speaks.", ["TCP", "HTTP", "HTTP2", "HTTP11", "H2C", "MCP"]).optional(),
  tls: tls.optional(),
}).rules(
  rule(
    "externalHostname must be set when type is ExternalHostname and must be unset otherwise",
    "self.type == 'ExternalHostname' ? has(self.externalHostname) : !has(self.externalHostname)",
  ),
);

const parentStatus = object("How one controller treats the backend at one of its users.", {
  parentRef: parentReference.describe("The object this is about."),
  controllerName: controllerName("Controller that wrote this."),
  conditions: mapList("Conditions of the backend there.", ["type"], condition).optional(),
});

export const xBackend = kindObject("A backend outside the cluster.", {
  spec,
  status: object("State of the backend.", {
    parents: atomicList("One entry for each user and controller.", parentStatus, {
      maxItems: 32,
    }).optional(),
  }).optional(),
});
export interface XBackend extends Infer<typeof xBackend> {}

export const xBackends: ResourceType<XBackend> = {
  group: EXPERIMENTAL_GROUP_NAME,
  version: "v1alpha1",
  plural: "xbackends",
  kind: "XBackend",
  namespaced: true,
};

export const xBackendKind: KindDefinition = {
  resource: xBackends,
  shortNames: ["xbackend"],
  in: [{ channel: "experimental", since: "v1.6.1" }],
  versions: [
    {
      name: "v1alpha1",
      schema: xBackend,
      storage: [{}],
      columns: [ageColumn],
      subresources: { status: {} },
    },
  ],
};
