// OpenAPI v2 in the protobuf encoding that Go clients ask for: the messages of gnostic's OpenAPIv2.proto, by field number.

import type { V2Document } from "./v2-document.ts";

type Tree = Record<string, unknown>;

/** The document in application/com.github.proto-openapi.spec.v2.v1.0+protobuf. */
export function v2Protobuf(document: V2Document): Buffer {
  return Buffer.concat([
    text(1, document.swagger),
    message(2, [text(1, document.info.title), text(2, document.info.version)]),
    message(8, named(2, document.paths, pathItem)),
    message(9, named(1, document.definitions, schema)),
  ]);
}

function pathItem({ patch }: Tree): Buffer[] {
  const { parameters, ...others } = patch as Tree & { parameters: Tree[] };
  // ParametersItem.parameter, Parameter.non_body_parameter, NonBodyParameter.query_parameter_sub_schema
  const encoded = parameters.map((parameter) => message(8, [message(1, [message(2, [message(3, query(parameter))])])]));
  const responses = message(9, [message(1, [text(1, "200"), message(2, [message(1, [text(1, "OK")])])])]);
  return [message(8, [...encoded, responses, ...extensions(13, others)])];
}

function query({ name, description, type }: Tree): Buffer[] {
  return [text(2, "query"), text(3, description), text(4, name), text(6, type)];
}

/** Keywords of a schema whose value is text, a number of 64 bits, a double or a truth. */
const texts: Record<string, number> = { $ref: 1, format: 2, title: 3, description: 4, pattern: 13, discriminator: 26 };
const doubles: Record<string, number> = { multipleOf: 6, maximum: 7, minimum: 9 };
const integers: Record<string, number> = {
  maxLength: 11,
  minLength: 12,
  maxItems: 14,
  minItems: 15,
  maxProperties: 17,
  minProperties: 18,
};
const truths: Record<string, number> = { exclusiveMaximum: 8, exclusiveMinimum: 10, uniqueItems: 16, readOnly: 27 };

function schema(tree: Tree): Buffer[] {
  const parts = Object.entries(tree).map(([key, value]) => keyword(key, value));
  return [...parts.flat(), ...extensions(31, tree)];
}

function keyword(key: string, value: unknown): Buffer[] {
  if (Object.hasOwn(texts, key)) return [text(texts[key] as number, value)];
  if (Object.hasOwn(doubles, key)) return [double(doubles[key] as number, Number(value))];
  if (Object.hasOwn(integers, key)) return [integer(integers[key] as number, Number(value))];
  if (Object.hasOwn(truths, key)) return [integer(truths[key] as number, value === true ? 1 : 0)];
  switch (key) {
    case "default":
      return [message(5, any(value))];
    case "required":
      return (value as string[]).map((name) => text(19, name));
    case "enum":
      return (value as unknown[]).map((item) => message(20, any(item)));
    case "additionalProperties":
      return [
        message(21, typeof value === "boolean" ? [integer(2, value ? 1 : 0)] : [message(1, schema(value as Tree))]),
      ];
    case "type":
      return [message(22, [text(1, value)])];
    case "items":
      return [message(23, [message(1, schema(value as Tree))])];
    case "allOf":
      return (value as Tree[]).map((item) => message(24, schema(item)));
    case "properties":
      return [message(25, named(1, value as Record<string, Tree>, schema))];
    default:
      return [];
  }
}

/** Named values: `string name = 1; Value value = 2` each. */
function named(field: number, values: Record<string, Tree>, encode: (value: Tree) => Buffer[]): Buffer[] {
  return Object.entries(values).map(([name, value]) => message(field, [text(1, name), message(2, encode(value))]));
}

function extensions(field: number, tree: Tree): Buffer[] {
  const own = Object.entries(tree).filter(([key]) => key.startsWith("x-"));
  return own.map(([key, value]) => message(field, [text(1, key), message(2, any(value))]));
}

/** Values of any form travel as YAML, which JSON is. */
const any = (value: unknown): Buffer[] => [text(2, JSON.stringify(value))];

const text = (field: number, value: unknown): Buffer => chunk(field, Buffer.from(String(value)));
const message = (field: number, parts: Buffer[]): Buffer => chunk(field, Buffer.concat(parts));

function chunk(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

const integer = (field: number, value: number): Buffer => Buffer.concat([varint(field << 3), varint(value)]);

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint((field << 3) | 1), bytes]);
}

/** Of an integer that is not negative; as arithmetic, since bounds go beyond 32 bits. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
