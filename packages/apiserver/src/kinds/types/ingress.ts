// Ingresses (networking.k8s.io/v1).

import { typedLocalObjectReference } from "./references.ts";
import { field, int32, listOf, oneOf, str, strings, struct } from "../schema-helpers.ts";

const serviceBackendPort = struct(
  "networking.v1.ServiceBackendPort",
  "A port of a Service, by name or number.",
  {
    name: str(),
    number: int32(),
  },
  { "x-kubernetes-map-type": "atomic" },
);

const ingressServiceBackend = struct("networking.v1.IngressServiceBackend", "A Service and its port.", {
  "name!": str(),
  port: serviceBackendPort,
});

const ingressBackend = struct("networking.v1.IngressBackend", "Where requests are sent.", {
  resource: typedLocalObjectReference,
  service: ingressServiceBackend,
});

const httpIngressPath = struct("networking.v1.HTTPIngressPath", "A path and its backend.", {
  "backend!": field(ingressBackend, "Where matching requests are sent."),
  path: str("The path to match."),
  "pathType!": oneOf(["Exact", "ImplementationSpecific", "Prefix"], "Exact, Prefix or ImplementationSpecific."),
});

const httpIngressRuleValue = struct("networking.v1.HTTPIngressRuleValue", "Paths of a host.", {
  "paths!": listOf(httpIngressPath),
});

const ingressRule = struct("networking.v1.IngressRule", "Paths of one host.", {
  host: str("The host name; all when empty."),
  http: httpIngressRuleValue,
});

const ingressTLS = struct("networking.v1.IngressTLS", "Hosts and their certificate.", {
  hosts: strings(),
  secretName: str(),
});

export const ingressSpec = struct("networking.v1.IngressSpec", "What an Ingress routes.", {
  defaultBackend: field(ingressBackend, "Where requests go that no rule matches."),
  ingressClassName: str("The IngressClass that serves it."),
  rules: listOf(ingressRule, "Hosts and paths."),
  tls: listOf(ingressTLS, "Hosts served with TLS."),
});

const ingressPortStatus = struct("networking.v1.IngressPortStatus", "State of a port.", {
  error: str(),
  "port!": int32(),
  "protocol!": str(),
});

const ingressLoadBalancerIngress = struct(
  "networking.v1.IngressLoadBalancerIngress",
  "An address of a load balancer.",
  {
    hostname: str(),
    ip: str(),
    ports: listOf(ingressPortStatus),
  },
);

const ingressLoadBalancerStatus = struct("networking.v1.IngressLoadBalancerStatus", "State of a load balancer.", {
  ingress: listOf(ingressLoadBalancerIngress),
});

export const ingressStatus = struct("networking.v1.IngressStatus", "What is known of an Ingress.", {
  loadBalancer: field(ingressLoadBalancerStatus, undefined, { default: {} }),
});

const ingressClassParametersReference = struct(
  "networking.v1.IngressClassParametersReference",
  "Settings of a controller.",
  {
    apiGroup: str(),
    "kind!": str(),
    "name!": str(),
    namespace: str(),
    scope: oneOf(["Cluster", "Namespace"], "Cluster or Namespace.", { default: "Cluster" }),
  },
);

export const ingressClassSpec = struct("networking.v1.IngressClassSpec", "Who serves Ingresses of a class.", {
  controller: str("Name of the controller."),
  parameters: ingressClassParametersReference,
});
