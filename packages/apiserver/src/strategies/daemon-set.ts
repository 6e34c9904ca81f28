// Write rules of DaemonSets.

import type { WriteStrategy } from "../resource-definition.ts";

export const daemonSetStrategy: WriteStrategy = {};
