// The EndpointSlice controller: writes down which pods stand behind each Service that selects pods.

import { hasReason } from "@gatehouse/apimachinery/status-error";
import { type EndpointSlice, endpointSlices, serviceNameLabel } from "@gatehouse/apimachinery/types/discovery-v1";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { endpointGroups, hasManagedEndpoints } from "./endpoint-plan.ts";
import { isNamespaceTerminating } from "./pod-control.ts";
import { onEndpointsChange } from "./selecting-services.ts";
import { managedBy, managedByLabel, planSlices, type SlicePlan } from "./slice-plan.ts";

export function startEndpointSliceController(context: ControllerContext): Controller {
  const { view } = context;
  const queue = controllerQueue("endpoint-slice-controller", context, (key) => reconcile(context, key));
  const subscriptions = [
    onEndpointsChange(view, (key) => queue.add(key)),
    view.endpointSlices.onChange(({ old, current }) => {
      for (const slice of [old, current]) {
        if (slice && isManaged(slice)) queue.add(`${slice.metadata.namespace}/${serviceOf(slice)}`);
      }
    }),
  ];
  return {
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      await queue.stop();
    },
  };
}

const isManaged = (slice: EndpointSlice): boolean => slice.metadata.labels?.[managedByLabel] === managedBy;
const serviceOf = (slice: EndpointSlice): string => slice.metadata.labels?.[serviceNameLabel] ?? "";

async function reconcile(context: ControllerContext, key: string): Promise<void> {
  const { view } = context;
  const service = view.services.get(key);
  const [namespace = "", name = ""] = key.split("/");
  const present = view.endpointSlices
    .inNamespace(namespace)
    .filter((slice) => isManaged(slice) && serviceOf(slice) === name && !slice.metadata.deletionTimestamp);
  if (!service || service.spec.type === "ExternalName") {
    return carryOut(context, { create: [], update: [], delete: present });
  }
  // Without a selector the slices are the user's own.
  if (!hasManagedEndpoints(service) || service.metadata.deletionTimestamp) return;
  await carryOut(context, planSlices(service, endpointGroups(service, view.pods.inNamespace(namespace)), present));
}

/** All writes at once; throws the first failure when all have answered. */
async function carryOut(context: ControllerContext, plan: SlicePlan): Promise<void> {
  const answers = await Promise.allSettled([
    ...plan.update.map((slice) => update(context, slice)),
    ...plan.create.map((slice) => create(context, slice)),
    ...plan.delete.map((slice) => remove(context, slice)),
  ]);
  const refused = answers.find((answer) => answer.status === "rejected");
  if (refused) throw refused.reason;
}

async function update({ client, view }: ControllerContext, slice: EndpointSlice): Promise<void> {
  view.endpointSlices.wrote(await client.update(endpointSlices, slice));
}

async function create({ client, view }: ControllerContext, slice: EndpointSlice): Promise<void> {
  try {
    view.endpointSlices.wrote(await client.create(endpointSlices, slice));
  } catch (error) {
    if (!isNamespaceTerminating(error)) throw error;
  }
}

async function remove({ client, view }: ControllerContext, slice: EndpointSlice): Promise<void> {
  const { name, namespace, uid } = slice.metadata;
  try {
    await client.delete(endpointSlices, name, namespace, uid ? { preconditions: { uid } } : {});
  } catch (error) {
    if (!hasReason(error, "NotFound") && !hasReason(error, "Conflict")) throw error;
  }
  view.endpointSlices.deleted(slice);
}
