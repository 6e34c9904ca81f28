// Gateway: addresses and listeners where traffic enters, and their state.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { experimental, graduated } from "./bundle.ts";
import { conditions, pendingConditions } from "./condition.ts";
import { frontendTLS } from "./gateway-tls.ts";
import { ageColumn, conditionColumn, kindObject, type KindDefinition } from "./kind-definition.ts";
import { gatewayListenerRules, listener, listenerStatuses } from "./listener.ts";
import { addressType, annotationValue, GROUP_NAME, HOSTNAME_PATTERN, labelSelector, objectName } from "./names.ts";
import { localObjectReference, secretObjectReference } from "./references.ts";
import {
  atomicList,
  enumeration,
  type Infer,
  integer,
  type Keywords,
  mapList,
  mapOf,
  object,
  rule,
  string,
} from "./schema-builder.ts";

/** An address of type IPAddress must be one. */
const ipAddressFormat: Keywords = {
  oneOf: [
    {
      properties: {
        type: { enum: ["IPAddress"] },
        value: { anyOf: [{ format: "ipv4" }, { format: "ipv6" }] },
      },
    },
    { properties: { type: { not: { enum: ["IPAddress"] } } } },
  ],
};
const isHostname = `self.value.matches(r"""${HOSTNAME_PATTERN}""")`;

const specAddress = object("An address the Gateway asks for.", {
  type: addressType("IPAddress, Hostname, or a domain-prefixed type.").default("IPAddress"),
  value: string("The address; when absent, one of the type is assigned.", {
    maxLength: 253,
  }).optional(),
})
  .when({}, ipAddressFormat)
  .rules(
    rule(
      `Hostname value must be empty or contain only valid characters (matching ${HOSTNAME_PATTERN})`,
      `self.type == 'Hostname' ? (!has(self.value) || ${isHostname}): true`,
    ),
  );
export type GatewaySpecAddress = Infer<typeof specAddress>;

const statusAddress = object("An address that reaches the Gateway.", {
  type: addressType("IPAddress, Hostname, or a domain-prefixed type.").default("IPAddress"),
  value: string("The address.", { minLength: 1, maxLength: 253 }),
})
  .when({}, ipAddressFormat)
  .rules(
    rule(
      `Hostname value must only contain valid characters (matching ${HOSTNAME_PATTERN})`,
      `self.type == 'Hostname' ? ${isHostname}: true`,
    ),
  );
export type GatewayStatusAddress = Infer<typeof statusAddress>;

/** `blank` keeps the blanks of the official expressions. */
const distinctAddresses = (type: string, blank: string) =>
  rule(
    `${type} values must be unique`,
    `self.all(a1, a1.type == '${type}'${blank}&& has(a1.value) ? ` +
      "self.exists_one(a2, a2.type == a1.type && has(a2.value) && a2.value == a1.value) : true )",
  );

const metadataKeyRules = (what: "annotation" | "label") => [
  rule(
    `${what === "label" ? "Label" : "Annotation"} keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.`,
    'self.all(key, key.matches(r"""^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?' +
      '([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$"""))',
  ),
  rule(
    `If specified, the ${what} key's prefix must be a DNS subdomain not longer than 253 characters in total.`,
    'self.all(key, key.split("/")[0].size() < 253)',
  ),
];

const labelValue = string("Value of the label.", {
  minLength: 0,
  maxLength: 63,
  pattern: "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
});

const infrastructure = object("Settings for what is created on behalf of this Gateway.", {
  labels: mapOf("Labels for those objects.", labelValue, { maxProperties: 8 })
    .rules(...metadataKeyRules("label"))
    .optional(),
  annotations: mapOf("Annotations for those objects.", annotationValue("Value of the annotation."), {
    maxProperties: 8,
  })
    .when({ since: "v1.6.1" }, { maxProperties: 16 })
    .rules(...metadataKeyRules("annotation"))
    .optional(),
  parametersRef: localObjectReference.describe("Object that holds further settings.").optional(),
});
export type GatewayInfrastructure = Infer<typeof infrastructure>;

const allowedListeners = object("Which listener sets may add listeners.", {
  namespaces: object("Namespaces whose listener sets may attach.", {
    from: enumeration("All, those the selector picks, the one of the Gateway, or none.", [
      "All",
      "Selector",
      "Same",
      "None",
    ]).default("None"),
    selector: labelSelector.describe("Labels of the namespaces, used with from: Selector.").optional(),
  }).default({ from: "None" }),
});

const gatewayTLS = object("TLS settings of the whole Gateway.", {
  backend: object("TLS towards backends.", {
    clientCertificateRef: secretObjectReference
      .describe("Certificate and key with which the Gateway identifies itself to backends.")
      .optional(),
  }).optional(),
  frontend: frontendTLS.optional(),
});
export type GatewayTLSConfig = Infer<typeof gatewayTLS>;

const spec = object("What the Gateway should offer.", {
  gatewayClassName: objectName("GatewayClass that says which controller serves this Gateway."),
  listeners: mapList("Ports, protocols and hosts to serve.", ["name"], listener, {
    minItems: 1,
    maxItems: 64,
  }).rules(...gatewayListenerRules),
  addresses: atomicList("Addresses asked for; assigned by the controller when empty.", specAddress, { maxItems: 16 })
    .rules(distinctAddresses("IPAddress", " "), distinctAddresses("Hostname", "  "))
    .optional(),
  infrastructure: infrastructure.optional(),
  allowedListeners: allowedListeners.only(...graduated),
  tls: gatewayTLS.only(...graduated),
  defaultScope: enumeration("Whether routes without parent may use this Gateway as default.", ["All", "None"]).only(
    experimental,
  ),
});
export type GatewaySpec = Infer<typeof spec>;

const status = object("What the Gateway offers now.", {
  addresses: atomicList("Addresses in use.", statusAddress, { maxItems: 16 }).optional(),
  conditions: conditions("Accepted, Programmed and further conditions of the Gateway.").default(
    pendingConditions("Accepted", "Programmed"),
  ),
  listeners: listenerStatuses.optional(),
  attachedListenerSets: integer("How many listener sets attached successfully.", {
    format: "int32",
  }).only({
    since: "v1.6.1",
  }),
});
export type GatewayStatus = Infer<typeof status>;

export const gateway = kindObject("A place where traffic enters the cluster, with its listeners.", {
  spec,
  status: status.default({ conditions: pendingConditions("Accepted", "Programmed") }),
});
export interface Gateway extends Infer<typeof gateway> {}

export const gateways: ResourceType<Gateway> = {
  group: GROUP_NAME,
  version: "v1",
  plural: "gateways",
  kind: "Gateway",
  namespaced: true,
};

const version = {
  schema: gateway,
  columns: [
    { name: "Class", type: "string", jsonPath: ".spec.gatewayClassName" },
    { name: "Address", type: "string", jsonPath: ".status.addresses[*].value" },
    conditionColumn("Programmed"),
    ageColumn,
  ],
  subresources: { status: {} },
} as const;

export const gatewayKind: KindDefinition = {
  resource: gateways,
  shortNames: ["gtw"],
  versions: [
    { ...version, name: "v1", storage: [{}] },
    { ...version, name: "v1beta1", storage: [] },
  ],
};
