// Reading request bodies: size and depth limits, and one decoder per content type.
// Protobuf and YAML are read by code that is loaded when the first such body comes.

import type { IncomingMessage } from "node:http";
import { badRequest, StatusError } from "@gatehouse/apimachinery/status-error";

/** As kube-apiserver: 3 MiB. */
const maxBytes = 3 * 1024 * 1024;
/** Deeper trees would exhaust the stack of recursive validation; no real object comes near. */
const maxDepth = 256;

export interface Body {
  /** Media type without parameters, lower case; empty when none was sent. */
  contentType: string;
  bytes: Buffer;
}

/** Reads the whole body. Throws 413 beyond 3 MiB. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  const contentType = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return { contentType, bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks) };
}

/** A value, or a promise of one. */
type Decoder = (bytes: Buffer) => unknown;

const decoders: Record<string, Decoder> = {
  "": decodeJson,
  "application/json": decodeJson,
  "application/yaml": decodeYaml,
  "application/vnd.kubernetes.protobuf": decodeKubernetesProtobuf,
};

/** The decoded body. Throws 400 for what cannot be read and 415 for encodings not served. */
export async function decodeBody(body: Body): Promise<unknown> {
  const decoder = decoders[body.contentType];
  if (!decoder) throw unsupported(body.contentType, Object.keys(decoders).filter(Boolean));
  return decoder(body.bytes);
}

/** JSON with the depth limit. Throws 400. */
export function decodeJson(bytes: Buffer): unknown {
  checkDepth(bytes);
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw badRequest(`the body is not valid JSON: ${(error as Error).message}`);
  }
}

/** One YAML 1.2 document (JSON is one too). Throws 400. */
export async function decodeYaml(bytes: Buffer): Promise<unknown> {
  const { parse } = await import("yaml");
  let value: unknown;
  try {
    value = parse(bytes.toString("utf8"), { maxAliasCount: 100 });
  } catch (error) {
    throw badRequest(`the body is not valid YAML: ${(error as Error).message}`);
  }
  // Round trip: aliases become copies and everything that is not JSON is gone before anybody keeps it.
  return decodeJson(Buffer.from(JSON.stringify(value ?? null)));
}

async function decodeKubernetesProtobuf(bytes: Buffer): Promise<unknown> {
  const { decodeProtobuf } = await import("./protobuf/decode-protobuf.ts");
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

const quote = 0x22;
const backslash = 0x5c;

function checkDepth(bytes: Buffer): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (inString) {
      if (byte === backslash) index++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxDepth) throw badRequest(`the body is nested deeper than ${maxDepth} levels`);
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
}
