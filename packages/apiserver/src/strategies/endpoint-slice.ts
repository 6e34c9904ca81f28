// Write rules of EndpointSlices.

import type { WriteStrategy } from "../resource-definition.ts";

export const endpointSliceStrategy: WriteStrategy = {};
