// The kind of events.k8s.io/v1: the newer form of events.

import type { ResourceDefinition } from "../resource-definition.ts";
import { eventStrategy } from "../strategies/event.ts";
import { builtIn, selectable } from "./definition-helpers.ts";
import { eventColumns } from "./event-columns.ts";
import { field, int32, microTime, str, struct, time } from "./schema-helpers.ts";
import { eventSource } from "./types/namespace.ts";
import { objectReference } from "./types/references.ts";

const packageName = "events.v1";

const eventSeries = struct(`${packageName}.EventSeries`, "How often an event was repeated.", {
  "count!": int32("How often."),
  "lastObservedTime!": microTime("When the last time."),
});

const eventsType = {
  group: "events.k8s.io",
  version: "v1",
  plural: "events",
  kind: "Event",
  namespaced: true,
};

export function eventsDefinitions(): ResourceDefinition[] {
  return [
    builtIn(eventsType, {
      package: packageName,
      description: "Something that happened to an object.",
      fields: {
        eventTime: microTime("When it was first seen."),
        series: field(eventSeries, "How often it was repeated."),
        reportingController: str("The controller that reported it."),
        reportingInstance: str("Which instance of the controller."),
        action: str("What was done."),
        reason: str("Why, in one CamelCase word."),
        regarding: field(objectReference, "What it happened to."),
        related: field(objectReference, "Another object that had a part in it."),
        note: str("What happened, in a sentence."),
        type: str("Normal or Warning."),
        deprecatedSource: field(eventSource, "Who reported it, in the core form."),
        deprecatedFirstTimestamp: time("When it was first seen, in the core form."),
        deprecatedLastTimestamp: time("When it was last seen, in the core form."),
        deprecatedCount: int32("How often it was seen, in the core form."),
      },
      shortNames: ["ev"],
      columns: eventColumns,
      selectableFields: selectable(
        ...["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"].map(
          (name) => `regarding.${name}`,
        ),
        "reason",
        "reportingController",
        "type",
      ),
      strategy: eventStrategy,
    }),
  ];
}
