// Write rules of ControllerRevisions: a snapshot never changes.

import { isDeepStrictEqual } from "node:util";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue, nonNegative, required } from "../schema/field-cause.ts";

export const controllerRevisionStrategy: WriteStrategy = {
  validate: (object, old) => {
    const causes = object.data === undefined ? [required("data", "data is mandatory")] : [];
    causes.push(...nonNegative("revision", object["revision"] as number | undefined));
    if (old && !isDeepStrictEqual(object.data, old.data)) {
      causes.push(invalidValue("data", object.data, "field is immutable"));
    }
    return causes;
  },
};
