// Write rules of ControllerRevisions.

import type { WriteStrategy } from "../resource-definition.ts";

export const controllerRevisionStrategy: WriteStrategy = {};
