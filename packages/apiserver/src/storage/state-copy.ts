// The cluster's state as a file that is taken along: copied while it is in use or not, and made the beginning of another
// cluster's history.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { type LogRow, StoreLog } from "./store-log.ts";

/** GET answers a copy of the state. Like every path of its own it needs a rule with `nonResourceURLs`: administrators have it. */
export const stateCopyPath = "/gatehouse/state";

/**
 * How far the revisions of a restored state are above every revision its clients can have seen: as `etcdctl snapshot restore
 * --bump-revision` is told to do for Kubernetes. Writes after the backup are then never mistaken for what comes instead of them.
 */
const revisionsAhead = 1_000_000_000;

/** The state of a server that does not run, as a database file's bytes. Throws an Error with one clear sentence. */
export function copyState(path: string): Buffer {
  const log = new StoreLog(path);
  try {
    return log.copy();
  } finally {
    log.close();
  }
}

/** What is in a state: its newest revision, and how many objects. Throws an Error with one clear sentence when it is damaged. */
export function measureState(path: string): { revision: number; objects: number } {
  const log = new StoreLog(path);
  try {
    const { revision, rows } = present(log);
    return { revision, objects: rows.size };
  } finally {
    log.close();
  }
}

/** What becomes of an object in a restored state: another, the same, or nothing (null). */
export type Change = (resource: string, object: KubeObject) => KubeObject | null;

/**
 * Makes the state at `path` the beginning of a new history: every object as `change` says, all revisions above `seen` and its own,
 * and nobody can resume a watch from before (410: they list again).
 */
export function beginNewHistory(path: string, seen: number, change: Change): void {
  const log = new StoreLog(path);
  try {
    const { revision, rows } = present(log);
    let next = Math.max(revision, seen) + revisionsAhead;
    const changed: LogRow[] = [];
    for (const { resource, key, json } of rows.values()) {
      const object = JSON.parse(json as string) as KubeObject;
      const wanted = change(resource, object);
      if (wanted === object) continue;
      const resourceVersion = String(++next);
      if (wanted) wanted.metadata = { ...wanted.metadata, resourceVersion };
      changed.push({ revision: next, resource, key, json: wanted && JSON.stringify(wanted) });
    }
    log.append(changed);
    log.forgetBefore(next);
  } finally {
    log.close();
  }
}

/** The newest row of everything that is there. */
function present(log: StoreLog): { revision: number; rows: Map<string, LogRow> } {
  const rows = new Map<string, LogRow>();
  let revision = log.compacted;
  for (const row of log.replay()) {
    const id = `${row.resource} ${row.key}`;
    if (row.json === null) rows.delete(id);
    else rows.set(id, row);
    revision = Math.max(revision, row.revision);
  }
  return { revision, rows };
}
