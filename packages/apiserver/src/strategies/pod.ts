// Write rules of Pods.

import type { WriteStrategy } from "../resource-definition.ts";

export const podStrategy: WriteStrategy = {};
