// What the background process tells the command that started it, over Node's IPC channel.

import type { ClusterRuntime } from "../../cluster-state.ts";

export type ClusterMessage = { type: "ready"; runtime: ClusterRuntime } | { type: "failed"; message: string };
