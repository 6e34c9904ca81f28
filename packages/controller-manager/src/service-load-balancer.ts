// Gives Services of type LoadBalancer the node's address, so that clients which wait for one (Helm) go on.

import { objectKey } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { type Node, type Service, services } from "@gatehouse/apimachinery/types/core-v1";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { canonical } from "./canonical-json.ts";

export function startServiceLoadBalancerController(context: ControllerContext): Controller {
  const { client, view } = context;
  const queue = controllerQueue("service-load-balancer-controller", context, async (key) => {
    const service = view.services.get(key);
    const wanted = service && wantedIngress(service, view.nodes.all());
    if (!service || wanted === undefined || service.metadata.deletionTimestamp) return;
    if (canonical(service.status?.loadBalancer?.ingress) === canonical(wanted)) return;
    const loadBalancer = wanted.length > 0 ? { ingress: wanted } : {};
    try {
      const status = { ...service.status, loadBalancer };
      view.services.wrote(await client.updateStatus(services, { ...service, status }));
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
  });
  const subscriptions = [
    view.services.onChange(({ current }) => current && queue.add(objectKey(current))),
    view.nodes.onChange(({ old, current }) => {
      if (old && current && canonical(addressesOf([old])) === canonical(addressesOf([current]))) return;
      for (const service of view.services.all()) queue.add(objectKey(service));
    }),
  ];
  return {
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      await queue.stop();
    },
  };
}

/** Pure: the ingress a Service should show; undefined when it is another implementation's (loadBalancerClass). */
function wantedIngress(service: Service, nodes: Node[]): { ip: string }[] | undefined {
  if (service.spec.type !== "LoadBalancer") return [];
  if (service.spec.loadBalancerClass) return undefined;
  // Without a node there is nothing to say yet; what was said stays.
  const addresses = addressesOf(nodes);
  return addresses.length > 0 ? addresses.map((ip) => ({ ip })) : undefined;
}

function addressesOf(nodes: Node[]): string[] {
  return nodes
    .flatMap((node) => node.status?.addresses ?? [])
    .filter(({ type }) => type === "InternalIP")
    .map(({ address }) => address);
}
