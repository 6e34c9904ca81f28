// Write rules of Deployments.

import type { WriteStrategy } from "../resource-definition.ts";

export const deploymentStrategy: WriteStrategy = {};
