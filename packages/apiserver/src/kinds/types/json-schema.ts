// The schema of schemas: what a CustomResourceDefinition may say of its objects (apiextensions.k8s.io/v1 JSONSchemaProps).

import type { Schema } from "@gatehouse/apimachinery/schema";
import {
  anything,
  bool,
  double,
  field,
  int64,
  listBy,
  listOf,
  mapOf,
  named,
  str,
  strings,
  struct,
} from "../schema-helpers.ts";

const prefix = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";

const validationRule = struct(`${prefix}ValidationRule`, "A rule in the Common Expression Language.", {
  "rule!": str("The expression; it must be true."),
  message: str("What to say when it is not."),
  messageExpression: str("An expression for what to say."),
  reason: str("Machine-readable reason of the refusal."),
  fieldPath: str("The field to blame."),
  optionalOldSelf: bool("True: the rule also runs on creation."),
});

const externalDocumentation = struct(`${prefix}ExternalDocumentation`, "Where more is written.", {
  description: str(),
  url: str(),
});

export const jsonSchemaProps: Schema = struct(
  `${prefix}JSONSchemaProps`,
  "A schema of OpenAPI v3, as far as Kubernetes knows it.",
  {},
);

// Schemas contain schemas, so the fields can only be given once the schema is there. Where a boolean or a list may stand in for a
// schema, the type is left open and only the form of the object is checked.
const open = (name: string, schema: Schema): Schema => {
  const { type: _type, ...rest } = schema;
  return named(`${prefix}${name}`, rest);
};
const schemaMap = (description?: string): Schema => mapOf(jsonSchemaProps, description);
const schemaList = (description?: string): Schema => listOf(jsonSchemaProps, description);

const properties: Record<string, Schema> = {
  id: str(),
  $schema: str(),
  $ref: str(),
  description: str("What the value is."),
  type: str("object, array, string, integer, number or boolean."),
  format: str("Form of a string or size of a number."),
  title: str("A short name for the value."),
  default: anything("Value when none is given."),
  maximum: double("Largest value."),
  exclusiveMaximum: bool("True: the maximum itself is too large."),
  minimum: double("Smallest value."),
  exclusiveMinimum: bool("True: the minimum itself is too small."),
  maxLength: int64("Most characters."),
  minLength: int64("Fewest characters."),
  pattern: str("Regular expression the text must match."),
  maxItems: int64("Most items."),
  minItems: int64("Fewest items."),
  uniqueItems: bool(),
  multipleOf: double("The value is a multiple of this."),
  enum: listOf(anything(), "The values there are."),
  maxProperties: int64("Most properties."),
  minProperties: int64("Fewest properties."),
  required: strings("Properties that must be there."),
  items: open("JSONSchemaPropsOrArray", jsonSchemaProps),
  allOf: schemaList("All of these must hold."),
  oneOf: schemaList("Exactly one of these must hold."),
  anyOf: schemaList("At least one of these must hold."),
  not: field(jsonSchemaProps, "This must not hold."),
  properties: schemaMap("Properties of an object."),
  additionalProperties: open("JSONSchemaPropsOrBool", jsonSchemaProps),
  patternProperties: schemaMap(),
  dependencies: mapOf(anything()),
  additionalItems: open("JSONSchemaPropsOrBool", jsonSchemaProps),
  definitions: schemaMap(),
  externalDocs: externalDocumentation,
  example: anything(),
  nullable: bool("True: null is a value."),
  "x-kubernetes-preserve-unknown-fields": bool("True: fields nobody declared are kept."),
  "x-kubernetes-embedded-resource": bool("True: the value is a Kubernetes object."),
  "x-kubernetes-int-or-string": bool("True: the value is an integer or a string."),
  "x-kubernetes-list-map-keys": strings("What tells the items of a list map apart."),
  "x-kubernetes-list-type": str("atomic, set or map."),
  "x-kubernetes-map-type": str("atomic or granular."),
  "x-kubernetes-validations": listBy(["rule"], validationRule, "Rules in the Common Expression Language.", {
    repeats: true,
  }),
};

for (const schema of [
  jsonSchemaProps,
  properties["items"],
  properties["additionalProperties"],
  properties["additionalItems"],
  properties["not"],
]) {
  if (schema) schema.properties = properties;
}
