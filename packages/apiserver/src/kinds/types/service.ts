// Services and their endpoints (core/v1).

import { condition } from "./meta.ts";
import { objectReference } from "./references.ts";
import {
  bool,
  field,
  int32,
  intOrString,
  listBy,
  listOf,
  oneOf,
  str,
  stringMap,
  strings,
  struct,
} from "../schema-helpers.ts";

const servicePort = struct("core.v1.ServicePort", "A port of a Service.", {
  appProtocol: str("Protocol spoken on the port, e.g. http, kubernetes.io/h2c."),
  name: str("Name, unique in the Service; needed when there are several ports."),
  nodePort: int32("Port of every node, for NodePort and LoadBalancer."),
  "port!": int32("Port of the Service."),
  protocol: oneOf(["SCTP", "TCP", "UDP"], "TCP, UDP or SCTP.", { default: "TCP" }),
  targetPort: intOrString("Port of the pods, by number or name; the same as port when absent."),
});

const clientIPConfig = struct("core.v1.ClientIPConfig", "Affinity by the client's address.", {
  timeoutSeconds: int32("Seconds a client stays with a pod."),
});

const sessionAffinityConfig = struct("core.v1.SessionAffinityConfig", "Settings of session affinity.", {
  clientIP: clientIPConfig,
});

export const serviceSpec = struct("core.v1.ServiceSpec", "What a Service offers and where it sends it.", {
  allocateLoadBalancerNodePorts: bool(),
  clusterIP: str("Address of the Service in the cluster; None makes it headless."),
  clusterIPs: strings("Addresses of the Service in the cluster."),
  externalIPs: strings("Further addresses that reach the Service."),
  externalName: str("Name that the Service stands for, with type ExternalName."),
  externalTrafficPolicy: str("Whether outside traffic stays on the node."),
  healthCheckNodePort: int32(),
  internalTrafficPolicy: str("Whether inside traffic stays on the node."),
  ipFamilies: strings("IP families of the Service."),
  ipFamilyPolicy: str("One family or two."),
  loadBalancerClass: str("Which load balancer implementation is to serve it."),
  loadBalancerIP: str("Address to ask the load balancer for."),
  loadBalancerSourceRanges: strings("Clients that may use the load balancer."),
  ports: listBy(["port", "protocol"], servicePort, "Ports of the Service.", { repeats: true }),
  publishNotReadyAddresses: bool("True: pods count as endpoints before they are ready."),
  selector: stringMap("Labels of the pods behind the Service.", { "x-kubernetes-map-type": "atomic" }),
  sessionAffinity: oneOf(["ClientIP", "None"], "Whether a client stays with a pod.", { default: "None" }),
  sessionAffinityConfig: sessionAffinityConfig,
  trafficDistribution: str(),
  type: oneOf(
    ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    "ClusterIP, NodePort, LoadBalancer or ExternalName.",
    { default: "ClusterIP" },
  ),
});

const portStatus = struct("core.v1.PortStatus", "State of a load balancer's port.", {
  error: str(),
  "port!": int32(undefined, { default: 0 }),
  "protocol!": str(undefined, { default: "TCP" }),
});

const loadBalancerIngress = struct("core.v1.LoadBalancerIngress", "An address of a load balancer.", {
  hostname: str("Its name."),
  ip: str("Its address."),
  ipMode: str(),
  ports: listOf(portStatus),
});

const loadBalancerStatus = struct("core.v1.LoadBalancerStatus", "State of a load balancer.", {
  ingress: listOf(loadBalancerIngress, "Where it takes traffic."),
});

export const serviceStatus = struct("core.v1.ServiceStatus", "What is known of a Service.", {
  conditions: listBy(["type"], condition, "Aspects of its state."),
  loadBalancer: field(loadBalancerStatus, "State of its load balancer.", { default: {} }),
});

const endpointAddress = struct(
  "core.v1.EndpointAddress",
  "A pod behind a Service.",
  {
    hostname: str(),
    "ip!": str("Its address."),
    nodeName: str("The node it runs on."),
    targetRef: field(objectReference, "The pod."),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const endpointPort = struct(
  "core.v1.EndpointPort",
  "A port of the addresses.",
  {
    appProtocol: str(),
    name: str(),
    "port!": int32(),
    protocol: oneOf(["TCP", "UDP", "SCTP"], undefined, { default: "TCP" }),
  },
  { "x-kubernetes-map-type": "atomic" },
);

export const endpointSubset = struct("core.v1.EndpointSubset", "Addresses that share ports.", {
  addresses: listOf(endpointAddress, "Those that are ready."),
  notReadyAddresses: listOf(endpointAddress, "Those that are not."),
  ports: listOf(endpointPort, "Ports at each address."),
});
