// Status conditions as the Gateway API writes them into its schemas, with the `Pending` defaults of fresh objects.

import { type Definition, enumeration, type Infer, integer, mapList, object, string } from "./schema-builder.ts";
import { SUBDOMAIN } from "./names.ts";

export const condition = object("One aspect of the object's state, as its controller sees it.", {
  type: string("Name of the aspect, e.g. Accepted.", {
    maxLength: 316,
    pattern: `^(${SUBDOMAIN}/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$`,
  }),
  status: enumeration("Whether the aspect holds.", ["True", "False", "Unknown"]),
  reason: string("One CamelCase word for programs on why the status is what it is.", {
    minLength: 1,
    maxLength: 1024,
    pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
  }),
  message: string("Explanation for people.", { maxLength: 32768 }),
  lastTransitionTime: string("When the status last changed.", { format: "date-time" }),
  observedGeneration: integer("Generation of the spec this condition was computed from.", {
    format: "int64",
    minimum: 0,
  }).optional(),
});

export type Condition = Infer<typeof condition>;

/** A list of up to eight conditions, told apart by type. */
export function conditions(description: string, minItems?: number): Definition<Condition[]> {
  return mapList(description, ["type"], condition, {
    maxItems: 8,
    ...(minItems === undefined ? {} : { minItems }),
  });
}

/** What a fresh object carries until a controller looks at it. */
export function pendingConditions(...types: string[]): Condition[] {
  return types.map((type) => ({
    type,
    status: "Unknown",
    reason: "Pending",
    message: "Waiting for controller",
    lastTransitionTime: "1970-01-01T00:00:00Z",
  }));
}
