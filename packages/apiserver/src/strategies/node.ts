// Write rules of Nodes.

import type { WriteStrategy } from "../resource-definition.ts";

export const nodeStrategy: WriteStrategy = {};
