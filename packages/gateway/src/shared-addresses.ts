// The address Gateways state when they have none of their own: what the `statusaddress` flags say, else the pod's.

import { podEnvironment } from "@gatehouse/apimachinery/pod-environment";
import type { GatewayStatusAddress } from "@gatehouse/gateway-api/gateway";
import type { StaticConfiguration } from "./static-configuration.ts";
import type { ObjectIndex } from "./translate/gateway-objects.ts";

/** Traefik's order: an explicit address, then those of the named Service's load balancer. */
export function sharedAddresses(
  { kubernetesGateway }: StaticConfiguration,
  index: Pick<ObjectIndex, "service">,
  environment: NodeJS.ProcessEnv = process.env,
): GatewayStatusAddress[] {
  const { ip, hostname, service } = kubernetesGateway.statusAddress;
  if (ip) return [{ type: "IPAddress", value: ip }];
  if (hostname) return [{ type: "Hostname", value: hostname }];
  const ingress = index.service(service.namespace, service.name)?.status?.loadBalancer?.ingress ?? [];
  const addresses = ingress.flatMap((each): GatewayStatusAddress[] => [
    ...(each.ip ? [{ type: "IPAddress", value: each.ip }] : []),
    ...(each.hostname ? [{ type: "Hostname", value: each.hostname }] : []),
  ]);
  if (addresses.length > 0) return addresses;
  return [{ type: "IPAddress", value: environment[podEnvironment.podIP] ?? "127.0.0.1" }];
}
