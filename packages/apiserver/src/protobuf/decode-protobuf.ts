// Bodies of type application/vnd.kubernetes.protobuf: four bytes of magic, then a runtime.Unknown that names the kind and holds
// the object (https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding).

import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { badRequest, StatusError } from "@gatehouse/apimachinery/status-error";
import { builtInDefinitions } from "../kinds/built-in.ts";
import { deleteOptions } from "../kinds/types/meta.ts";
import { decodeMessage } from "./decode-message.ts";
import { subresourceKinds } from "./subresource-kinds.ts";
import { MalformedProtobuf, WireReader, wireTypes } from "./wire-reader.ts";

const magic = Buffer.from("k8s\0");

interface Envelope {
  apiVersion: string;
  kind: string;
  raw: Buffer;
}

/** The object in a protobuf body, as its JSON. Throws 400 for bytes that make no sense and 415 for kinds without a protobuf form. */
export function decodeProtobuf(bytes: Buffer): unknown {
  try {
    const { apiVersion, kind, raw } = openEnvelope(bytes);
    return { apiVersion, kind, ...decodeMessage(raw, schemaOf(apiVersion, kind)) };
  } catch (error) {
    if (error instanceof MalformedProtobuf) throw badRequest(`the body is not valid protobuf: ${error.message}`);
    throw error;
  }
}

/** runtime.Unknown: message { typeMeta = 1 { apiVersion = 1, kind = 2 }, raw = 2, contentEncoding = 3, contentType = 4 }. */
function openEnvelope(bytes: Buffer): Envelope {
  if (!bytes.subarray(0, magic.length).equals(magic)) {
    throw new MalformedProtobuf("it does not start with the four bytes k8s\\0");
  }
  const envelope: Envelope = { apiVersion: "", kind: "", raw: Buffer.alloc(0) };
  const reader = new WireReader(bytes.subarray(magic.length));
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire !== wireTypes.chunk) reader.skip(wire);
    else if (number === 1) readTypeMeta(envelope, reader.chunk());
    else if (number === 2) envelope.raw = reader.chunk();
    else if (number === 3 && reader.text()) throw new MalformedProtobuf("it has a content encoding");
    else if (number > 3) reader.skip(wire);
  }
  return envelope;
}

function readTypeMeta(envelope: Envelope, bytes: Buffer): void {
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (wire !== wireTypes.chunk) reader.skip(wire);
    else if (number === 1) envelope.apiVersion = reader.text();
    else if (number === 2) envelope.kind = reader.text();
    else reader.skip(wire);
  }
}

let schemas: Map<string, Schema> | undefined;

function schemaOf(apiVersion: string, kind: string): Schema {
  if (kind === "") throw new MalformedProtobuf("it names no kind");
  if (kind === "DeleteOptions") return deleteOptions;
  schemas ??= new Map([
    ...builtInDefinitions().map(({ type, schema }) => [`${apiVersionOf(type)} ${type.kind}`, schema] as const),
    ...Object.entries(subresourceKinds),
  ]);
  const schema = schemas.get(`${apiVersion} ${kind}`);
  if (schema) return schema;
  throw new StatusError({
    code: 415,
    reason: "UnsupportedMediaType",
    message: `no kind ${JSON.stringify(kind)} of version ${JSON.stringify(apiVersion)} is known in protobuf; send application/json`,
  });
}
