// The pods bound to this node, each with its worker, in step with the API server.

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInformer, type Informer } from "@gatehouse/apimachinery/informer";
import { objectKey } from "@gatehouse/apimachinery/meta";
import { type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import type { NodeContext } from "./pod-preparation.ts";
import { PodWorker } from "./pod-worker.ts";

export interface PodManager {
  /** Resolves when every pod bound to the node is being worked on, and none is said to be as it was in an earlier life. */
  start(): Promise<void>;
  /** The pods of this node as last seen. */
  pods(): Pod[];
  worker(namespace: string, name: string): PodWorker | undefined;
  /** Ends all processes within `graceMs`; the pod objects stay. */
  stop(graceMs: number): Promise<void>;
}

export function createPodManager(node: NodeContext, nodeName: string): PodManager {
  const workers = new Map<string, PodWorker>();
  let stopped = false;
  const informer: Informer<Pod> = createInformer(node.client, pods, {
    fieldSelector: `spec.nodeName=${nodeName}`,
    onError: (error) => {
      if (!stopped) node.log.warn(`watching pods: ${(error as Error).message}`);
    },
  });

  const add = (pod: Pod): void => {
    const uid = pod.metadata.uid ?? "";
    try {
      const worker = new PodWorker(pod, node);
      workers.set(uid, worker);
      void worker.gone.then(() => workers.delete(uid));
      worker.start();
    } catch (error) {
      // A full disk, say: one pod less must not end the watch of all the others.
      node.log.error(`pod ${objectKey(pod)} cannot be prepared`, error);
    }
  };
  const remove = (pod: Pod): void => workers.get(pod.metadata.uid ?? "")?.removed();

  const onChange = ({ old, current }: { old?: Pod; current?: Pod }): void => {
    if (stopped) return;
    // A pod deleted and made again under the same name may look like one change.
    if (old && old.metadata.uid !== current?.metadata.uid) remove(old);
    if (!current) return;
    const known = workers.get(current.metadata.uid ?? "");
    if (known) known.update(current);
    else add(current);
  };

  return {
    start: async () => {
      mkdirSync(node.podsDirectory, { recursive: true, mode: 0o700 });
      informer.onChange(onChange);
      await informer.start();
      removeStale(node.podsDirectory, new Set(workers.keys()));
      // Whoever waits for pods must not take the word of processes that are gone.
      await Promise.all([...workers.values()].map((worker) => worker.reported()));
    },
    pods: () => [...workers.values()].map((worker) => worker.pod),
    worker: (namespace, name) => {
      const uid = informer.objects.get(`${namespace}/${name}`)?.metadata.uid;
      return uid === undefined ? undefined : workers.get(uid);
    },
    stop: async (graceMs) => {
      stopped = true;
      informer.stop();
      await Promise.all([...workers.values()].map((worker) => worker.shutDown(graceMs)));
    },
  };
}

/** Directories of pods that were deleted while no kubelet ran. */
function removeStale(directory: string, uids: Set<string>): void {
  for (const name of readdirSync(directory)) {
    if (!uids.has(name)) rmSync(join(directory, name), { recursive: true, force: true });
  }
}
