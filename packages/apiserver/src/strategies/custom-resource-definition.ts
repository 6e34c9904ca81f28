// Write rules of CustomResourceDefinitions.

import type { WriteStrategy } from "../resource-definition.ts";

export const crdStrategy: WriteStrategy = {};
