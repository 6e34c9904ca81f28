// Write rules of ReplicaSets.

import type { WriteStrategy } from "../resource-definition.ts";

export const replicaSetStrategy: WriteStrategy = {};
