// Waiting in tests: on watched objects where there are some, else by trying again. Never for a time.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { createInformer, type InformerOptions } from "@gatehouse/apimachinery/informer";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";

const patienceMs = 10_000;

/** Resolves with the objects in scope as soon as `holds`; rejects after ten seconds with what there was, and `more`. */
export async function untilObjects<T extends KubeObject>(
  client: ApiClient,
  type: ResourceType<T>,
  scope: InformerOptions,
  holds: (objects: T[]) => boolean,
  more: () => string = () => "",
): Promise<T[]> {
  const informer = createInformer(client, type, scope);
  const present = (): T[] => [...informer.objects.values()];
  const { promise, resolve, reject } = Promise.withResolvers<T[]>();
  const check = (): void => {
    if (holds(present())) resolve(present());
  };
  const timer = setTimeout(() => {
    reject(new Error(`condition not met: ${holds.toString()}\n${JSON.stringify(present(), null, 1)}\n${more()}`));
  }, patienceMs);
  const follow = async (): Promise<void> => {
    await informer.start();
    informer.onChange(check);
    check();
  };
  try {
    follow().catch(reject);
    return await promise;
  } finally {
    clearTimeout(timer);
    informer.stop();
  }
}

/** Tries until `attempt` does not throw, at most `timeoutMs`; then throws what it threw last. */
export async function eventually<T>(attempt: () => Promise<T> | T, timeoutMs = patienceMs): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
