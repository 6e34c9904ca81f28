// Write rules of ConfigMaps.

import type { WriteStrategy } from "../resource-definition.ts";

export const configMapStrategy: WriteStrategy = {};
