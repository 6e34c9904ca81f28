// Everything kube-controller-manager and kube-scheduler do here: the control loops over one shared view of the cluster.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import { startClusterRoleAggregation } from "./cluster-role-aggregation.ts";
import { createClusterView } from "./cluster-view.ts";
import type { Controller, ControllerContext } from "./controller.ts";
import { startCronJobController } from "./cron-job.ts";
import { startDaemonSetController } from "./daemon-set.ts";
import { startDeploymentController } from "./deployment.ts";
import { startEndpointSliceController } from "./endpoint-slice.ts";
import { startEndpointsController } from "./endpoints.ts";
import { createEventRecorder } from "./events.ts";
import { startGarbageCollector } from "./garbage-collector.ts";
import { startJobController } from "./job.ts";
import { startNamespaceController } from "./namespace.ts";
import { startReplicaSetController } from "./replica-set.ts";
import { startScheduler } from "./scheduler.ts";
import { startServiceAccountController } from "./service-account.ts";
import { startStatefulSetController } from "./stateful-set.ts";

export interface ControllerManager {
  /** Resolves when every informer is synced and the controllers work. */
  ready: Promise<void>;
  /** Resolves when the writes under way are done; the client is left open. */
  stop(): Promise<void>;
}

/** `clusterCA` is the PEM that goes into every namespace's kube-root-ca.crt. Never throws: failures are retried and logged. */
export function startControllerManager(options: { client: ApiClient; log: Log; clusterCA: string }): ControllerManager {
  const { client, log, clusterCA } = options;
  const view = createClusterView(client, log);
  const context: ControllerContext = { client, view, log, recorder: createEventRecorder(client) };
  let controllers: Controller[] = [];
  let stopped = false;

  // A controller that saw its objects before their dependents would create them twice: all is listed first.
  const start = async (): Promise<void> => {
    await view.start();
    if (!stopped) controllers = startControllers(context, clusterCA);
  };
  const ready = start();
  return {
    ready,
    stop: async () => {
      stopped = true;
      view.stop();
      await ready;
      await Promise.all(controllers.map((controller) => controller.stop()));
      await context.recorder.stop();
    },
  };
}

function startControllers(context: ControllerContext, clusterCA: string): Controller[] {
  return [
    startServiceAccountController(context, clusterCA),
    startDeploymentController(context),
    startReplicaSetController(context),
    startDaemonSetController(context),
    startStatefulSetController(context),
    startJobController(context),
    startCronJobController(context),
    startScheduler(context),
    startEndpointSliceController(context),
    startEndpointsController(context),
    startNamespaceController(context),
    startClusterRoleAggregation(context),
    startGarbageCollector(context),
  ];
}
