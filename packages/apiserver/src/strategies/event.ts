// Write rules of Events, in both of their forms: an Event lives where its object does (pkg/apis/core/validation/events.go).
// Clients of the older form may leave much out, unless they give an eventTime.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue, required } from "../schema/field-cause.ts";
import { nameCauses, qualifiedNameFaults } from "./names.ts";

interface AnyEvent extends KubeObject {
  involvedObject?: { namespace?: string };
  regarding?: { namespace?: string };
  eventTime?: string;
  series?: { count?: number; lastObservedTime?: string };
  reportingComponent?: string;
  reportingController?: string;
  reportingInstance?: string;
  action?: string;
  reason?: string;
  message?: string;
  note?: string;
  type?: string;
}

const maxWordLength = 128;
const maxTextLength = 1024;

export const eventStrategy: WriteStrategy = {
  validate: (object, old) => {
    const event = object as AnyEvent;
    const isNew = event.apiVersion !== "v1";
    // What was stored in the older form may be counted up in the newer one.
    const isStrict = event.eventTime !== undefined || (isNew && !old);
    const causes = placeCauses(event, isStrict);
    if (isStrict) causes.push(...reportCauses(event, isNew ? "reportingController" : "reportingComponent"));
    if (isNew && !old) causes.push(...newFormCauses(event));
    return causes;
  },
};

function placeCauses({ metadata, involvedObject, regarding }: AnyEvent, isStrict: boolean): StatusCause[] {
  const { namespace = "" } = involvedObject ?? regarding ?? {};
  if (namespace === metadata.namespace || (isStrict && namespace !== "")) return [];
  // Events about cluster-scoped objects are kept in `default`, and those of system components in `kube-system`.
  const homes = isStrict ? ["default", "kube-system"] : ["default"];
  if (namespace === "" && homes.includes(metadata.namespace ?? "")) return [];
  return [invalidValue("involvedObject.namespace", namespace, "does not match event.namespace")];
}

function reportCauses(event: AnyEvent, controllerField: "reportingController" | "reportingComponent"): StatusCause[] {
  const controller = event[controllerField] ?? "";
  const causes = controller === "" ? [required(controllerField)] : [];
  causes.push(...nameCauses(controllerField, controller, qualifiedNameFaults));
  for (const field of ["reportingInstance", "action", "reason"] as const) {
    const word = event[field] ?? "";
    if (word === "") causes.push(required(field));
    else if (word.length > maxWordLength) causes.push(tooLong(field, maxWordLength));
  }
  if ((event.message ?? event.note ?? "").length > maxTextLength) causes.push(tooLong("message", maxTextLength));
  return causes;
}

function tooLong(field: string, limit: number): StatusCause {
  return invalidValue(field, "", `can have at most ${limit} characters`);
}

function newFormCauses({ eventTime, series, type }: AnyEvent): StatusCause[] {
  const causes = eventTime === undefined ? [required("eventTime")] : [];
  if (series && (series.count ?? 0) < 2) causes.push(invalidValue("series.count", "", "should be at least 2"));
  if (type !== "Normal" && type !== "Warning") {
    causes.push(invalidValue("type", "", `has invalid value: ${type ?? ""}`));
  }
  return causes;
}
