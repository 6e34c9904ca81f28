// Write rules of Services.

import type { WriteStrategy } from "../resource-definition.ts";

export const serviceStrategy: WriteStrategy = {};
