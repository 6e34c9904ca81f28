// Write rules of Events.

import type { WriteStrategy } from "../resource-definition.ts";

export const eventStrategy: WriteStrategy = {};
