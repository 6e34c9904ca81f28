// Writes the status of one pod: never two at once, the newest state only, and what nobody waits for a little later,
// so that a pod's start costs one or two writes.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import { objectKey } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { type Pod, pods, type PodStatus } from "@gatehouse/apimachinery/types/core-v1";

export interface StatusWriter {
  /** The status may have changed. `urgent` states go out at once, others within 100 ms. */
  changed(urgent: boolean): void;
  /** Resolves when everything so far is written (or the writer is stopped). */
  settled(): Promise<void>;
  stop(): void;
}

const lazyMs = 100;
const firstRetryMs = 50;
const maxRetryMs = 5_000;

export function createStatusWriter(client: ApiClient, pod: () => Pod, status: () => PodStatus, log: Log): StatusWriter {
  return new CoalescingWriter(client, pod, status, log);
}

class CoalescingWriter implements StatusWriter {
  readonly #client: ApiClient;
  readonly #pod: () => Pod;
  readonly #status: () => PodStatus;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #soon = false;
  #writing: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #written = "";
  #retryMs = firstRetryMs;

  constructor(client: ApiClient, pod: () => Pod, status: () => PodStatus, log: Log) {
    this.#client = client;
    this.#pod = pod;
    this.#status = status;
    this.#log = log;
  }

  changed(urgent: boolean): void {
    if (this.#stopped) return;
    if (this.#writing) this.#again = true;
    else if (!urgent) this.#timer ??= setTimeout(() => this.#begin(), lazyMs);
    else if (!this.#soon) {
      this.#soon = true;
      // After everything else that happens in this turn of the event loop.
      setImmediate(() => this.#begin());
    }
  }

  async settled(): Promise<void> {
    if (this.#stopped) return;
    if (!this.#writing) this.#begin();
    while (this.#writing && !this.#stopped) await this.#writing;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#soon = false;
    if (this.#stopped || this.#writing) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
      if (this.#again) {
        this.#again = false;
        this.changed(true);
      }
    });
  }

  async #write(): Promise<void> {
    const pod = this.#pod();
    const { name, namespace = "", uid } = pod.metadata;
    try {
      const status = this.#status();
      const text = JSON.stringify(status);
      if (text === this.#written) return;
      // A merge patch with the uid: independent of what others write to the pod, and never to its namesake.
      const patch = { metadata: { uid }, status: withRemovals(pod.status, status) };
      await this.#client.patch(pods, { name, namespace, subresource: "status" }, "merge", patch);
      this.#written = text;
      this.#retryMs = firstRetryMs;
    } catch (error) {
      if (this.#stopped || hasReason(error, "NotFound")) return;
      this.#log.warn(`status of pod ${objectKey(pod)} not written, will retry: ${(error as Error).message}`);
      this.#timer = setTimeout(() => this.#begin(), this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, maxRetryMs);
    }
  }
}

/** Fields of ours that are gone are null in a merge patch (RFC 7396). */
function withRemovals(before: PodStatus | undefined, status: PodStatus): Record<string, unknown> {
  const removed: Record<string, null> = {};
  for (const field of ["podIP", "podIPs", "initContainerStatuses", "message", "reason"] as const) {
    if (before?.[field] !== undefined && status[field] === undefined) removed[field] = null;
  }
  return { ...removed, ...status };
}
