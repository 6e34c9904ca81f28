// Write rules of NetworkPolicies, which are only kept (pkg/apis/networking/validation): nothing here enforces them.

import type { KubeObject, LabelSelector } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { WriteStrategy } from "../resource-definition.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../schema/field-cause.ts";
import { isPort, nameCauses, portNameFaults, portRule, rangeFaults } from "./names.ts";
import { selectorCauses } from "./selector.ts";

interface Peer {
  podSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  ipBlock?: { cidr: string; except?: string[] };
}

interface Port {
  port?: number | string;
  endPort?: number;
  protocol?: string;
}

interface NetworkPolicy extends KubeObject {
  spec?: {
    podSelector?: LabelSelector;
    policyTypes?: string[];
    ingress?: { from?: Peer[]; ports?: Port[] }[];
    egress?: { to?: Peer[]; ports?: Port[] }[];
  };
}

export const networkPolicyStrategy: WriteStrategy = {
  complete: (object) => {
    const spec = ((object as NetworkPolicy).spec ??= { podSelector: {} });
    spec.policyTypes ??= spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
  },
  validate: (object) => {
    const { podSelector, policyTypes = [], ingress = [], egress = [] } = (object as NetworkPolicy).spec ?? {};
    const causes = podSelector ? selectorCauses(podSelector, "spec.podSelector") : [];
    ingress.forEach(({ from = [], ports = [] }, index) => {
      const field = `spec.ingress[${index}]`;
      causes.push(...portCauses(ports, `${field}.ports`), ...peerCauses(from, `${field}.from`));
    });
    egress.forEach(({ to = [], ports = [] }, index) => {
      const field = `spec.egress[${index}]`;
      causes.push(...portCauses(ports, `${field}.ports`), ...peerCauses(to, `${field}.to`));
    });
    if (policyTypes.length > 2) {
      causes.push(invalidValue("spec.policyTypes", policyTypes, "may not specify more than two policyTypes"));
      return causes;
    }
    for (const [index, type] of policyTypes.entries()) {
      if (type === "Ingress" || type === "Egress") continue;
      causes.push(notSupported(`spec.policyTypes[${index}]`, type, ["Egress", "Ingress"]));
    }
    return causes;
  },
  warnings: () => [
    "NetworkPolicies are stored but not enforced here: the pods of this cluster share the host's network",
  ],
};

function peerCauses(peers: Peer[], path: string): StatusCause[] {
  return peers.flatMap(({ podSelector, namespaceSelector, ipBlock }, index) => {
    const field = `${path}[${index}]`;
    if (!podSelector && !namespaceSelector && !ipBlock) return [required(field, "must specify a peer")];
    const causes = [
      ...(podSelector ? selectorCauses(podSelector, `${field}.podSelector`) : []),
      ...(namespaceSelector ? selectorCauses(namespaceSelector, `${field}.namespaceSelector`) : []),
    ];
    if (!ipBlock) return causes;
    if (podSelector || namespaceSelector) {
      return [...causes, forbiddenField(field, "may not specify both ipBlock and another peer")];
    }
    const at = `${field}.ipBlock`;
    return [
      ...nameCauses(`${at}.cidr`, ipBlock.cidr, rangeFaults),
      ...(ipBlock.except ?? []).flatMap((range, place) => nameCauses(`${at}.except[${place}]`, range, rangeFaults)),
    ];
  });
}

function portCauses(ports: Port[], path: string): StatusCause[] {
  return ports.flatMap(({ port, endPort, protocol }, index) => {
    const field = `${path}[${index}]`;
    const protocols = ["TCP", "UDP", "SCTP"];
    const causes: StatusCause[] = [];
    if (protocol !== undefined && !protocols.includes(protocol)) {
      causes.push(notSupported(`${field}.protocol`, protocol, protocols));
    }
    if (typeof port === "number" && !isPort(port)) causes.push(invalidValue(`${field}.port`, port, portRule));
    if (typeof port === "string") {
      causes.push(...nameCauses(`${field}.port`, port, portNameFaults));
      if (endPort !== undefined) {
        const detail = "may not be specified when `port` is non-numeric";
        causes.push(forbiddenField(`${field}.endPort`, detail));
      }
    }
    if (endPort === undefined) return causes;
    if (port === undefined) {
      causes.push(forbiddenField(`${field}.endPort`, "may not be specified when `port` is not specified"));
    } else if (typeof port === "number" && endPort < port) {
      causes.push(invalidValue(`${field}.endPort`, endPort, "must be greater than or equal to `port`"));
    }
    if (!isPort(endPort)) causes.push(invalidValue(`${field}.endPort`, endPort, portRule));
    return causes;
  });
}
