// Namespaces and core events (core/v1).

import { int32, listBy, microTime, str, strings, struct, time } from "../schema-helpers.ts";

export const namespaceSpec = struct("core.v1.NamespaceSpec", "What a namespace is asked to be.", {
  finalizers: strings("Who must agree before the namespace is removed."),
});

const namespaceCondition = struct("core.v1.NamespaceCondition", "One aspect of a namespace's state.", {
  lastTransitionTime: time(),
  message: str(),
  reason: str(),
  "status!": str(),
  "type!": str(),
});

export const namespaceStatus = struct("core.v1.NamespaceStatus", "Where a namespace is in its life.", {
  conditions: listBy(["type"], namespaceCondition),
  phase: str("Active or Terminating."),
});

export const eventSource = struct("core.v1.EventSource", "Who reported an event.", {
  component: str("The component."),
  host: str("The node it runs on."),
});

export const eventSeries = struct("core.v1.EventSeries", "How often an event was repeated.", {
  count: int32(),
  lastObservedTime: microTime(),
});
