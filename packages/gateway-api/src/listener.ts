// Listeners of Gateways (and of listener sets): port, protocol, TLS, and which routes may attach.

import { conditions } from "./condition.ts";
import {
  group,
  GROUP_NAME,
  hostname,
  kind,
  labelSelector,
  options,
  portNumber,
  protocol,
  sectionName,
} from "./names.ts";
import { secretObjectReference } from "./references.ts";
import { atomicList, enumeration, type Infer, integer, mapList, object, type Rule, rule } from "./schema-builder.ts";

const routeGroupKind = object("A kind of route.", {
  group: group("API group of the kind.").default(GROUP_NAME),
  kind: kind("The kind, e.g. HTTPRoute."),
});
export type RouteGroupKind = Infer<typeof routeGroupKind>;

const routeKinds = (description: string) => atomicList(description, routeGroupKind, { maxItems: 8 });

const allowedRoutes = object("Which routes may attach.", {
  namespaces: object("Namespaces whose routes may attach.", {
    from: enumeration("All namespaces, those the selector picks, or the one of the listener.", [
      "All",
      "Selector",
      "Same",
    ]).default("Same"),
    selector: labelSelector.describe("Labels of the namespaces, used with from: Selector.").optional(),
  }).default({ from: "Same" }),
  kinds: routeKinds("Kinds that may attach; what suits the protocol when empty.").optional(),
});
export type AllowedRoutes = Infer<typeof allowedRoutes>;

const listenerTLS = object("TLS settings, for protocols HTTPS and TLS.", {
  mode: enumeration("Whether TLS ends here or goes through to the backend.", ["Terminate", "Passthrough"]).default(
    "Terminate",
  ),
  certificateRefs: atomicList("Secrets with certificate and key, used with mode: Terminate.", secretObjectReference, {
    maxItems: 64,
  }).optional(),
  options: options("Implementation-specific TLS settings by domain-prefixed name.").optional(),
}).rules(
  rule(
    "certificateRefs or options must be specified when mode is Terminate",
    "self.mode == 'Terminate' ? size(self.certificateRefs) > 0 || size(self.options) > 0 : true",
  ),
);
export type ListenerTLSConfig = Infer<typeof listenerTLS>;

/** Fields of a listener, but its port. */
export const listenerFields = {
  name: sectionName("Name of the listener, unique among its neighbours; a route's sectionName."),
  hostname: hostname("Host the listener serves, perhaps with * as its first label; all when absent.").optional(),
  protocol: protocol("HTTP, HTTPS, TLS, TCP, UDP or a domain-prefixed protocol."),
  tls: listenerTLS.optional(),
  allowedRoutes: allowedRoutes.default({ namespaces: { from: "Same" } }),
};

export const listener = object("A port that takes connections, for one protocol and host.", {
  ...listenerFields,
  port: portNumber("Port to listen on; several listeners may share it."),
});
export type Listener = Infer<typeof listener>;

const sameEndpoint =
  "l1.port == l2.port && l1.protocol == l2.protocol && " +
  "(has(l1.hostname) && has(l2.hostname) ? l1.hostname == l2.hostname : !has(l1.hostname) && !has(l2.hostname))";
const DISTINCT_ENDPOINTS = "Combination of port, protocol and hostname must be unique for each listener";

/** What every list of listeners obeys; the last rule depends on whether a listener must name its port. */
function listenerListRules(distinctEndpoints: string): Rule[] {
  return [
    rule(
      "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
      "self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)",
    ),
    rule(
      "tls mode must be Terminate for protocol HTTPS",
      "self.all(l, (l.protocol == 'HTTPS' && has(l.tls)) ? (l.tls.mode == '' || l.tls.mode == 'Terminate') : true)",
    ),
    rule(
      "tls mode must be set for protocol TLS",
      "self.all(l, (l.protocol == 'TLS' ? has(l.tls) && has(l.tls.mode) && l.tls.mode != '' : true))",
      { since: "v1.6.1" },
    ),
    rule(
      "hostname must not be specified for protocols ['TCP', 'UDP']",
      "self.all(l, l.protocol in ['TCP', 'UDP']  ? (!has(l.hostname) || l.hostname == '') : true)",
    ),
    rule("Listener name must be unique within the Gateway", "self.all(l1, self.exists_one(l2, l1.name == l2.name))"),
    rule(DISTINCT_ENDPOINTS, distinctEndpoints),
  ];
}

export const gatewayListenerRules = listenerListRules(`self.all(l1, self.exists_one(l2, ${sameEndpoint}))`);
export const listenerSetRules = listenerListRules(
  `self.all(l1, !has(l1.port) || self.exists_one(l2, has(l2.port) && ${sameEndpoint}))`,
);

export const listenerStatusFields = {
  name: sectionName("Name of the listener this is about."),
  supportedKinds: routeKinds("Kinds of routes the listener takes.").optional({ since: "v1.6.1" }),
  attachedRoutes: integer("How many routes attached successfully.", { format: "int32" }),
  conditions: conditions("Accepted, Programmed, ResolvedRefs and further conditions of the listener."),
};
export const listenerStatus = object("State of one listener.", listenerStatusFields);
export type ListenerStatus = Infer<typeof listenerStatus>;

export const listenerStatuses = mapList("State of each listener.", ["name"], listenerStatus, {
  maxItems: 64,
});
