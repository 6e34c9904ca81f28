// Write rules of ServiceAccounts.

import type { WriteStrategy } from "../resource-definition.ts";

export const serviceAccountStrategy: WriteStrategy = {};
