// What may be said in a Service, and what may change after creation (pkg/apis/core/validation ValidateService).

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Service, ServicePort } from "@gatehouse/apimachinery/types/core-v1";
import { labelCauses } from "../metadata-rules.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required } from "../schema/field-cause.ts";
import {
  addressFaults,
  isPort,
  labelFaults,
  nameCauses,
  portRule,
  qualifiedNameFaults,
  rangeFaults,
  subdomainFaults,
} from "./names.ts";
import { portCauses as portOrNameCauses } from "./probe.ts";

const maxAffinitySeconds = 86_400;

type Spec = Service["spec"] & { loadBalancerSourceRanges?: string[]; trafficDistribution?: string };

/** Causes for a Service as it is about to be stored. */
export function serviceCauses({ spec }: Service): StatusCause[] {
  return [
    ...portCauses(spec),
    ...labelCauses(spec.selector ?? {}, "spec.selector"),
    ...affinityCauses(spec),
    ...typeCauses(spec),
    ...familyCauses(spec),
    ...trafficCauses(spec),
    ...(spec.externalIPs ?? []).flatMap((address, index) =>
      nameCauses(`spec.externalIPs[${index}]`, address, addressFaults),
    ),
  ];
}

function portCauses(spec: Spec): StatusCause[] {
  const ports = spec.ports ?? [];
  const causes: StatusCause[] = [];
  if (ports.length === 0 && spec.type !== "ExternalName" && spec.clusterIP !== "None") {
    causes.push(required("spec.ports"));
  }
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const field = `spec.ports[${index}]`;
    if (!port.name && ports.length > 1) causes.push(required(`${field}.name`));
    if (port.name) {
      causes.push(...nameCauses(`${field}.name`, port.name, labelFaults));
      if (names.has(port.name)) causes.push(duplicate(`${field}.name`, port.name));
      names.add(port.name);
    }
    if (!isPort(port.port)) causes.push(invalidValue(`${field}.port`, port.port, portRule));
    if (port.targetPort !== undefined) causes.push(...portOrNameCauses(port.targetPort, `${field}.targetPort`));
    if (port.appProtocol) causes.push(...labelCauses({ [port.appProtocol]: "" }, `${field}.appProtocol`));
    if (port.nodePort && spec.type === "ClusterIP") {
      causes.push(forbiddenField(`${field}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
  }
  return [...causes, ...repeatedPorts(ports)];
}

function repeatedPorts(ports: ServicePort[]): StatusCause[] {
  const causes: StatusCause[] = [];
  const nodePorts = new Set<string>();
  const numbers = new Set<string>();
  for (const [index, { protocol = "TCP", port, nodePort }] of ports.entries()) {
    const field = `spec.ports[${index}]`;
    if (nodePort && nodePorts.has(`${protocol}/${nodePort}`)) causes.push(duplicate(`${field}.nodePort`, nodePort));
    nodePorts.add(`${protocol}/${nodePort}`);
    if (numbers.has(`${protocol}/${port}`)) causes.push(duplicate(field, { protocol, port }));
    numbers.add(`${protocol}/${port}`);
  }
  return causes;
}

function affinityCauses({ sessionAffinity, sessionAffinityConfig }: Spec): StatusCause[] {
  const field = "spec.sessionAffinityConfig";
  if (sessionAffinity !== "ClientIP") return [];
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (seconds === undefined || (seconds > 0 && seconds <= maxAffinitySeconds)) return [];
  const detail = `must be greater than 0 and less than ${maxAffinitySeconds}`;
  return [invalidValue(`${field}.clientIP.timeoutSeconds`, seconds, detail)];
}

function typeCauses(spec: Spec): StatusCause[] {
  const causes: StatusCause[] = [];
  if (spec.type === "ExternalName") {
    // A name from DNS may end in a dot.
    const name = (spec.externalName ?? "").replace(/\.$/, "");
    if (!name) causes.push(required("spec.externalName"));
    else causes.push(...nameCauses("spec.externalName", name, subdomainFaults));
    if (spec.clusterIP) causes.push(forbiddenField("spec.clusterIPs", "may not be set for ExternalName services"));
  }
  if (spec.clusterIP === "None" && (spec.type === "NodePort" || spec.type === "LoadBalancer")) {
    causes.push(invalidValue("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`));
  }
  if (spec.type === "LoadBalancer") return [...causes, ...balancerCauses(spec)];
  const balanced = "may only be used when `type` is 'LoadBalancer'";
  if (spec.loadBalancerClass !== undefined) causes.push(forbiddenField("spec.loadBalancerClass", balanced));
  if (spec.loadBalancerSourceRanges?.length) {
    causes.push(forbiddenField("spec.LoadBalancerSourceRanges", balanced));
  }
  return causes;
}

function balancerCauses({ loadBalancerSourceRanges = [], loadBalancerClass }: Spec): StatusCause[] {
  return [
    ...loadBalancerSourceRanges.flatMap((range, index) =>
      nameCauses(`spec.LoadBalancerSourceRanges[${index}]`, range.trim(), rangeFaults),
    ),
    ...(loadBalancerClass === undefined
      ? []
      : nameCauses("spec.loadBalancerClass", loadBalancerClass, qualifiedNameFaults)),
  ];
}

/** This cluster has IPv4 alone. */
function familyCauses({ type, ipFamilies = [], ipFamilyPolicy, clusterIP, clusterIPs = [] }: Spec): StatusCause[] {
  if (type === "ExternalName") return [];
  const causes: StatusCause[] = [];
  const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
  if (ipFamilyPolicy === "RequireDualStack") {
    const detail = "this cluster is not configured for dual-stack services";
    causes.push(invalidValue("spec.ipFamilyPolicy", ipFamilyPolicy, detail));
  } else if (ipFamilyPolicy && !policies.includes(ipFamilyPolicy)) {
    causes.push(notSupported("spec.ipFamilyPolicy", ipFamilyPolicy, policies));
  }
  for (const [index, family] of ipFamilies.entries()) {
    const field = `spec.ipFamilies[${index}]`;
    if (family === "IPv6") causes.push(invalidValue(field, family, "not configured on this cluster"));
    else if (family !== "IPv4") causes.push(notSupported(field, family, ["IPv4", "IPv6"]));
    else if (ipFamilies.indexOf(family) !== index) causes.push(duplicate(field, family));
  }
  return [...causes, ...clusterAddressCauses(clusterIP, clusterIPs)];
}

function clusterAddressCauses(clusterIP: string | undefined, clusterIPs: string[]): StatusCause[] {
  const field = "spec.clusterIPs";
  const causes: StatusCause[] = [];
  if (clusterIPs.length > 0 && !clusterIP) {
    causes.push(invalidValue(field, clusterIPs, "must be empty when `clusterIP` is not specified"));
  } else if (clusterIPs.length > 0 && clusterIP !== clusterIPs[0]) {
    causes.push(invalidValue(field, clusterIPs, "first value must match `clusterIP`"));
  }
  if (clusterIPs[0] === "None") {
    if (clusterIPs.length > 1) causes.push(invalidValue(field, clusterIPs, "'None' must be the first and only value"));
    return causes;
  }
  clusterIPs.forEach((address, index) => causes.push(...nameCauses(`${field}[${index}]`, address, addressFaults)));
  if (clusterIPs.length > 1) causes.push(invalidValue(field, clusterIPs, "may only hold up to 1 values"));
  return causes;
}

function trafficCauses(spec: Spec): StatusCause[] {
  const causes: StatusCause[] = [];
  for (const name of ["externalTrafficPolicy", "internalTrafficPolicy"] as const) {
    const policy = spec[name];
    if (policy === undefined || policy === "Cluster" || policy === "Local") continue;
    causes.push(notSupported(`spec.${name}`, policy, ["Cluster", "Local"]));
  }
  const { trafficDistribution } = spec;
  if (trafficDistribution !== undefined && trafficDistribution !== "PreferClose") {
    causes.push(notSupported("spec.trafficDistribution", trafficDistribution, ["PreferClose"]));
  }
  return causes;
}

/** Causes for what may not change: an address once it is given, and the class of a load balancer. */
export function serviceChangeCauses({ spec }: Service, { spec: old }: Service): StatusCause[] {
  const causes: StatusCause[] = [];
  const isExternal = spec.type === "ExternalName" || old.type === "ExternalName";
  if (!isExternal && old.clusterIP && spec.clusterIP !== old.clusterIP) {
    causes.push(invalidValue("spec.clusterIPs[0]", spec.clusterIPs, "may not change once set"));
  }
  if (spec.type === "LoadBalancer" && old.type === "LoadBalancer" && spec.loadBalancerClass !== old.loadBalancerClass) {
    causes.push(invalidValue("spec.loadBalancerClass", spec.loadBalancerClass, "may not change once set"));
  }
  return causes;
}
