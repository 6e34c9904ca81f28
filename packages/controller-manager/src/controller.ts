// What every controller is given, and what it gives back.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import { createWorkQueue, type WorkQueue } from "@gatehouse/apimachinery/work-queue";
import type { ClusterView } from "./cluster-view.ts";
import type { EventRecorder } from "./events.ts";

export interface ControllerContext {
  client: ApiClient;
  view: ClusterView;
  recorder: EventRecorder;
  log: Log;
}

export interface Controller {
  stop(): Promise<void>;
}

/** A work queue whose failures are logged under the controller's name. Conflicts are retried in silence. */
export function controllerQueue(
  name: string,
  context: ControllerContext,
  reconcile: (key: string) => Promise<void>,
): WorkQueue {
  return createWorkQueue({
    reconcile,
    concurrency: 16,
    onError: (key, error) =>
      context.log.warn(`${name} ${key}: ${error instanceof Error ? error.message : String(error)}`),
  });
}
