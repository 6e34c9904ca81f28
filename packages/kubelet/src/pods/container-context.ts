// What a container gets from its pod: addresses, environment, a place for its files, and somebody to tell.

import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import type { Container } from "@gatehouse/apimachinery/types/core-v1";
import type { EventType } from "../events.ts";
import type { ImageCatalog } from "../images/catalog.ts";
import type { ContainerLogs } from "../logs/container-logs.ts";

/** `init` runs to completion before the others; a `sidecar` is an init container that stays (KEP-753). */
export type ContainerRole = "init" | "sidecar" | "app";

export interface ContainerContext {
  /** `namespace/name`, for titles and messages. */
  readonly podKey: string;
  readonly podName: string;
  readonly podUID: string;
  readonly restartPolicy: "Always" | "OnFailure" | "Never";
  readonly images: ImageCatalog;
  readonly logs: ContainerLogs;
  /** The process's working directory. */
  readonly directory: string;
  /** Milliseconds. */
  readonly gracePeriodMs: number;
  /** Throws a ContainerConfigError. */
  environment(container: Container): Record<string, string>;
  locate: (port: number) => ListenAddress;
  event(type: EventType, reason: string, message: string): void;
  /** The container's status changed; `urgent` when somebody waits for it. */
  changed(urgent: boolean): void;
}
