// Reading request bodies: size and depth limits, and one decoder per content type.
// Protobuf and YAML are read by code that is loaded when the first such body comes.

import type { IncomingMessage } from "node:http";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { decodeJson } from "./decode-json.ts";

/** As kube-apiserver: 3 MiB. */
const maxBytes = 3 * 1024 * 1024;

export interface Body {
  /** Media type without parameters, lower case; empty when none was sent. */
  contentType: string;
  bytes: Buffer;
}

/** Reads the whole body; what it takes is told to `take` as it comes. Throws 413 beyond 3 MiB. */
export async function readBody(request: IncomingMessage, take: (bytes: number) => void): Promise<Body> {
  const contentType = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    take(chunk.length);
    chunks.push(chunk);
  }
  return { contentType, bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks) };
}

/** A value, or a promise of one. */
type Decoder = (bytes: Buffer) => unknown;

const decoders = new Map<string, Decoder>([
  ["", decodeJson],
  ["application/json", decodeJson],
  ["application/yaml", decodeYaml],
  ["application/vnd.kubernetes.protobuf", decodeKubernetesProtobuf],
]);

/** The decoded body. Throws 400 for what cannot be read and 415 for encodings not served. */
export async function decodeBody(body: Body): Promise<unknown> {
  const decoder = decoders.get(body.contentType);
  if (!decoder) throw unsupported(body.contentType, [...decoders.keys()].filter(Boolean));
  return decoder(body.bytes);
}

async function decodeYaml(bytes: Buffer): Promise<unknown> {
  const yaml = await import("./decode-yaml.ts");
  return yaml.decodeYaml(bytes);
}

async function decodeKubernetesProtobuf(bytes: Buffer): Promise<unknown> {
  const { decodeProtobuf } = await import("../protobuf/decode-protobuf.ts");
  return decodeProtobuf(bytes);
}

/** 415 that names what was sent and what is accepted. */
export function unsupported(contentType: string, accepted: string[]): StatusError {
  return new StatusError({
    code: 415,
    reason: "UnsupportedMediaType",
    message: `the body of the request was in an unknown format (${contentType}) - accepted media types include: ${accepted.join(", ")}`,
  });
}

function tooLarge(): StatusError {
  return new StatusError({
    code: 413,
    reason: "RequestEntityTooLarge",
    message: `Request entity too large: limit is ${maxBytes}`,
  });
}
