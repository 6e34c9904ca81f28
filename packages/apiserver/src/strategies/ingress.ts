// Write rules of Ingresses.

import type { WriteStrategy } from "../resource-definition.ts";

export const ingressStrategy: WriteStrategy = {};
