// Write rules of ControllerRevisions: a snapshot never changes.

import { isDeepStrictEqual } from "node:util";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue } from "../schema/field-cause.ts";

export const controllerRevisionStrategy: WriteStrategy = {
  validate: (object, old) =>
    old && !isDeepStrictEqual(object.data, old.data) ? [invalidValue("data", object.data, "field is immutable")] : [],
};
