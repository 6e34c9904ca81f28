// Write rules of Secrets.

import type { WriteStrategy } from "../resource-definition.ts";

export const secretStrategy: WriteStrategy = {};
