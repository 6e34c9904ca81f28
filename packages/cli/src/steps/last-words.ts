// What crashing containers wrote last: the part of a failed wait that says why.

import { type ApiClient, text } from "@gatehouse/apimachinery/api-client";
import type { KubeList } from "@gatehouse/apimachinery/meta";
import { resourcePath } from "@gatehouse/apimachinery/resource-type";
import { type ContainerStatus, type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { printable } from "../printable.ts";

const shownLines = 5;
const answerTimeoutMs = 5_000;
// oxlint-disable-next-line no-control-regex
const colours = /\u001b\[[\d;]*m/g;

/** Lines to put below a failure, `  | ...` each; none where nothing crashes, or nobody answers. Never rejects. */
export async function lastWords(client: ApiClient, namespaces: string[]): Promise<string[]> {
  const signal = AbortSignal.timeout(answerTimeoutMs);
  const found = await Promise.all(
    namespaces.map(async (namespace) => {
      try {
        const path = resourcePath(pods, namespace);
        const { items } = await client.json<KubeList<Pod>>({ method: "GET", path, signal });
        const crashing = items.flatMap((pod) =>
          (pod.status?.containerStatuses ?? []).filter(hasCrashed).map(({ name }) => ({ pod, name })),
        );
        return await Promise.all(crashing.map(({ pod, name }) => wordsOf(client, pod, name, signal)));
      } catch {
        return [];
      }
    }),
  );
  return found.flat(2);
}

/** It ended by itself, and waits to be started again or was just now. */
function hasCrashed({ state, lastState, ready }: ContainerStatus): boolean {
  const ended = state?.terminated ?? lastState?.terminated;
  return !ready && ended !== undefined && ended.exitCode !== 0;
}

async function wordsOf(
  client: ApiClient,
  { metadata }: Pod,
  container: string,
  signal: AbortSignal,
): Promise<string[]> {
  const { namespace = "", name } = metadata;
  const query = new URLSearchParams({ container, tailLines: String(shownLines) });
  const path = `${resourcePath(pods, namespace, name, "log")}?${query.toString()}`;
  const said = await text(await client.stream({ method: "GET", path, signal }));
  const lines = said
    .replaceAll(colours, "")
    .split("\n")
    .filter((line) => line.trim() !== "");
  if (lines.length === 0) return [];
  return [`${container} of pod/${namespace}/${name} said last:`, ...lines.map((line) => `  | ${printable(line)}`)];
}
