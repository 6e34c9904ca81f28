// Waiting until a cluster serves the kind that a new CustomResourceDefinition defines: before, nothing of it can be written.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { UserError } from "./user-error.ts";
import { customResourceDefinitions } from "./well-known-types.ts";

const establishedWithinMs = 30_000;

/** Throws a UserError when it takes longer than half a minute. */
export async function untilEstablished(client: ApiClient, definition: KubeObject): Promise<void> {
  if (isEstablished(definition)) return;
  const { name } = definition.metadata;
  const signal = AbortSignal.timeout(establishedWithinMs);
  const fieldSelector = `metadata.name=${name}`;
  for await (const event of client.watch(customResourceDefinitions, { fieldSelector, signal })) {
    if (isEstablished(event.object)) return;
  }
  throw new UserError(`definition ${name} is not served after ${establishedWithinMs / 1000} s`);
}

function isEstablished({ status }: KubeObject): boolean {
  const { conditions = [] } = (status ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status: value }) => type === "Established" && value === "True");
}
