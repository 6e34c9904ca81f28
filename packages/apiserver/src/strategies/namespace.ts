// Write rules of Namespaces.

import type { WriteStrategy } from "../resource-definition.ts";

export const namespaceStrategy: WriteStrategy = {};
