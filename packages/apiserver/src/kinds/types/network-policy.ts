// NetworkPolicies (networking/v1).

import { labelSelector } from "./meta.ts";
import { field, int32, intOrString, listOf, str, strings, struct } from "../schema-helpers.ts";

const ipBlock = struct("networking.v1.IPBlock", "A range of addresses.", {
  "cidr!": str("The range."),
  except: strings("Ranges within it that are left out."),
});

const port = struct("networking.v1.NetworkPolicyPort", "A port that is let through.", {
  endPort: int32("The last of a range of ports that begins with port."),
  port: intOrString("The port, by number or name; all when absent."),
  protocol: str("TCP, UDP or SCTP.", { default: "TCP" }),
});

const peer = struct("networking.v1.NetworkPolicyPeer", "Who is let through.", {
  ipBlock: field(ipBlock, "By address."),
  namespaceSelector: field(labelSelector, "By namespace."),
  podSelector: field(labelSelector, "By pod."),
});

const ingressRule = struct("networking.v1.NetworkPolicyIngressRule", "What may come in.", {
  from: listOf(peer, "From whom; from anybody when empty."),
  ports: listOf(port, "To which ports; to all when empty."),
});

const egressRule = struct("networking.v1.NetworkPolicyEgressRule", "What may go out.", {
  ports: listOf(port, "To which ports; to all when empty."),
  to: listOf(peer, "To whom; to anybody when empty."),
});

export const networkPolicySpec = struct("networking.v1.NetworkPolicySpec", "Which traffic the pods may have.", {
  egress: listOf(egressRule, "What may go out."),
  ingress: listOf(ingressRule, "What may come in."),
  podSelector: field(labelSelector, "The pods meant; all of the namespace when empty.", { default: {} }),
  policyTypes: strings("Ingress, Egress or both."),
});
