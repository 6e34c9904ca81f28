// The wait for an address that leads from here to the gateway on somebody's cluster.

import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { findEntry } from "../../entry-address.ts";
import type { Step } from "../../progress.ts";
import { UserError } from "../../user-error.ts";
import type { EntryAddress } from "../provider.ts";
import { loadBalancerName } from "./load-balancer.ts";

const pollMs = 1_000;
const gateway = { namespace: "traefik", name: "traefik-gateway" };

/** The first that takes a connection. Throws a UserError with all that was tried after `timeoutMs`. */
export async function untilWayIn(
  client: ApiClient,
  context: string,
  timeoutMs: number,
  { detail }: Pick<Step, "detail">,
): Promise<EntryAddress> {
  const giveUpAt = Date.now() + timeoutMs;
  for (;;) {
    const found = await findEntry(client, { context, gateway });
    if (!("tried" in found)) return { host: found.host, port: found.port };
    const tried = found.tried.join("; ");
    if (Date.now() >= giveUpAt) {
      throw new UserError(
        `no address leads from here to the gateway (tried: ${tried}): give the Service traefik/${loadBalancerName} one (a load balancer such as MetalLB or cloud-provider-kind, or minikube tunnel), then run it again`,
      );
    }
    detail(`waiting for an address that answers (tried: ${tried})`);
    await delay(pollMs);
  }
}
