// The columns of events in `kubectl get`, for both API groups: they show the same occurrences in two forms.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { PrinterColumn } from "../resource-definition.ts";
import { column, nameColumn, since, wideColumn } from "./columns.ts";

interface Reference {
  kind?: string;
  name?: string;
  fieldPath?: string;
}

interface Source {
  component?: string;
  host?: string;
}

/** The fields of both forms; which are there depends on the version the object is written in. */
interface AnyEvent extends KubeObject {
  involvedObject?: Reference;
  regarding?: Reference;
  message?: string;
  note?: string;
  type?: string;
  reason?: string;
  eventTime?: string | null;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  deprecatedFirstTimestamp?: string | null;
  deprecatedLastTimestamp?: string | null;
  count?: number;
  deprecatedCount?: number;
  series?: { count?: number; lastObservedTime?: string };
  source?: Source;
  deprecatedSource?: Source;
  reportingComponent?: string;
  reportingController?: string;
  reportingInstance?: string;
}

const firstSeen = (event: AnyEvent): string =>
  since(event.firstTimestamp ?? event.deprecatedFirstTimestamp ?? event.eventTime);

function lastSeen(event: AnyEvent): string {
  if (event.series) return since(event.series.lastObservedTime);
  const last = event.lastTimestamp ?? event.deprecatedLastTimestamp;
  return last ? since(last) : firstSeen(event);
}

const about = (event: AnyEvent): Reference => event.involvedObject ?? event.regarding ?? {};

function object(event: AnyEvent): string {
  const { kind = "", name } = about(event);
  return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase();
}

function source(event: AnyEvent): string {
  const { component, host } = event.source ?? event.deprecatedSource ?? {};
  const reporter = component || event.reportingComponent || event.reportingController || "";
  const instance = host || event.reportingInstance || "";
  return instance ? `${reporter}, ${instance}` : reporter;
}

export const eventColumns: PrinterColumn[] = [
  column<AnyEvent>("Last Seen", "When it was last seen.", lastSeen),
  column<AnyEvent>("Type", "Normal or Warning.", (event) => event.type ?? ""),
  column<AnyEvent>("Reason", "Why it happened, in one word.", (event) => event.reason ?? ""),
  column<AnyEvent>("Object", "What it is about.", object),
  wideColumn<AnyEvent>("Subobject", "The part it is about.", (event) => about(event).fieldPath ?? ""),
  wideColumn<AnyEvent>("Source", "Who reported it.", source),
  column<AnyEvent>("Message", "What happened.", (event) => (event.message ?? event.note ?? "").trim()),
  wideColumn<AnyEvent>("First Seen", "When it was first seen.", firstSeen),
  wideColumn<AnyEvent>("Count", "How often it was seen.", (event) =>
    String(event.series?.count ?? ((event.count ?? event.deprecatedCount) || 1)),
  ),
  { ...nameColumn, priority: 1 },
];
