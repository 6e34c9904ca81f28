// Asks over gRPC whether a request may pass: Check of envoy.service.auth.v3.Authorization, which many authorization services
// speak (external_auth.proto and attribute_context.proto of the Envoy API).

import type { ResponseHead } from "../http1/response-head.ts";
import { hostOrNull } from "../safe-text.ts";
import type { OutgoingRequest } from "../upstream/upstream.ts";
import { fieldsOf, mayEdit } from "./external-auth.ts";
import type { AuthQuestion, AuthTarget, Field, Verdict } from "./external-auth.ts";
import { allBytes, lastBytes, lastValue, readWire, WireWriter } from "./protobuf-wire.ts";
import type { WireField } from "./protobuf-wire.ts";
import type { SubRequestUser } from "./sub-request.ts";

/** Longest CheckResponse in bytes. */
const LONGEST = 256 * 1024;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const EMPTY = Buffer.alloc(0);

/** Before each message: whether it is compressed, and its length (gRPC over HTTP/2). */
const FRAME_HEAD = 5;

export function grpcQuestion(service: string, timeout: number): OutgoingRequest {
  return {
    method: "POST",
    target: "/envoy.service.auth.v3.Authorization/Check",
    host: hostOrNull(service) ?? "authorization",
    text: null,
    lines: `Content-Type: application/grpc\r\nGrpc-Timeout: ${Math.ceil(timeout)}m\r\n`,
    scheme: "http",
    hasBody: true,
    chunked: true,
    acceptsTrailers: true,
    upgrade: "",
    replayable: false,
    client: null,
  };
}

/** A CheckRequest in its frame. An empty list of allowed headers means all (GRPCAuthConfig.allowedHeaders). */
export function checkRequest(question: AuthQuestion, target: AuthTarget, body: Buffer): Buffer {
  const { allowedHeaders } = target;
  const shown =
    allowedHeaders.size === 0 ? question.fields : question.fields.filter(({ name }) => allowedHeaders.has(name));
  const message = new WireWriter()
    .message(1, (attributes) => {
      attributes.message(1, (source) =>
        source.message(1, (address) => address.message(1, (socket) => socket.text(2, question.address))),
      );
      attributes.message(4, (request) => {
        request.message(1, (time) => time.varint(1, Math.floor(Date.now() / 1000)));
        request.message(2, (http) => writeHttp(http, question, shown, body));
      });
    })
    .finish();
  const frame = Buffer.alloc(FRAME_HEAD);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

function writeHttp(http: WireWriter, question: AuthQuestion, shown: Field[], body: Buffer): void {
  http.text(2, question.method);
  for (const [name, value] of joined(shown)) {
    // Bytes that are no UTF-8 become replacement characters: a string with others would make the whole message invalid.
    http.message(3, (entry) => entry.text(1, name).text(2, Buffer.from(value, "latin1").toString()));
  }
  http.text(4, question.path).text(5, question.host).text(6, question.scheme);
  http.varint(9, body.length).text(10, "HTTP/1.1");
  // A string must be UTF-8; other bodies go as bytes.
  const text = body.toString();
  if (Buffer.from(text).equals(body)) http.text(11, text);
  else http.bytes(12, body);
}

/** "If multiple headers share the same key, they must be merged" (AttributeContext.HttpRequest.headers). */
function joined(fields: Field[]): Map<string, string> {
  const merged = new Map<string, string>();
  for (const { name, value } of fields) {
    const before = merged.get(name);
    merged.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ","}${value}`);
  }
  return merged;
}

export class GrpcVerdict implements SubRequestUser {
  readonly #present: Set<string>;
  readonly #done: (verdict: Verdict) => void;
  #problem = "";
  #grpcStatus: string | undefined;
  #message: Buffer[] = [];
  #length = 0;

  constructor(question: AuthQuestion, done: (verdict: Verdict) => void) {
    this.#present = new Set(question.fields.map(({ name }) => name));
    this.#done = done;
  }

  onAnswer(head: ResponseHead): void {
    if (head.status !== 200) this.#problem = `status-${head.status}`;
    else if (head.get("content-type")?.startsWith("application/grpc") !== true) this.#problem = "answer-not-grpc";
    this.#grpcStatus = head.get("grpc-status");
  }

  onAnswerBody(bytes: Buffer, start: number, end: number): void {
    this.#length += end - start;
    if (this.#length > LONGEST) this.#problem ||= "answer-too-long";
    if (this.#problem === "") this.#message.push(Buffer.from(bytes.subarray(start, end)));
  }

  onAnswerEnd(trailers: string): void {
    const status = fieldsOf(trailers).find(({ name }) => name === "grpc-status")?.value ?? this.#grpcStatus;
    if (this.#problem !== "") return this.onFailed(this.#problem);
    if (status !== "0") return this.onFailed(status === undefined ? "grpc-status-missing" : `grpc-status-${status}`);
    const frame = Buffer.concat(this.#message);
    if (frame.length < FRAME_HEAD || frame[0] !== 0 || frame.readUInt32BE(1) !== frame.length - FRAME_HEAD) {
      return this.onFailed("answer-not-grpc");
    }
    let verdict: Verdict;
    try {
      verdict = this.#read(frame.subarray(FRAME_HEAD));
    } catch {
      verdict = { type: "failed", reason: "answer-not-protobuf" };
    }
    this.#done(verdict);
  }

  onFailed(reason: string): void {
    this.#done({ type: "failed", reason });
  }

  /** CheckResponse. A message without a status has the status OK, as proto3 has it. */
  #read(bytes: Buffer): Verdict {
    const fields = readWire(bytes);
    const code = lastValue(readWire(lastBytes(fields, 1) ?? EMPTY), 1);
    if (code !== 0) return denied(readWire(lastBytes(fields, 2) ?? EMPTY));
    const ok = readWire(lastBytes(fields, 3) ?? EMPTY);
    const request = this.#edits(allBytes(ok, 2), this.#present);
    for (const name of allBytes(ok, 5)) {
      const lower = name.toString().toLowerCase();
      if (mayEdit(lower)) request.drop.add(lower);
    }
    return { type: "allow", request, response: this.#edits(allBytes(ok, 6), new Set()) };
  }

  /** HeaderValueOption, where `append` defaults to false: the value replaces what is there. */
  #edits(options: Buffer[], present: Set<string>): { drop: Set<string>; append: string } {
    const edits = { drop: new Set<string>(), append: "" };
    for (const bytes of options) {
      const option = readWire(bytes);
      const field = headerValue(option);
      if (field === null || !mayEdit(field.name)) continue;
      const append = lastValue(readWire(lastBytes(option, 2) ?? EMPTY), 1) === 1;
      const action = lastValue(option, 3);
      const there = present.has(field.name);
      if ((action === ADD_IF_ABSENT && there) || (action === OVERWRITE_IF_EXISTS && !there)) continue;
      if (!append) edits.drop.add(field.name);
      edits.append += `${field.name}: ${field.value}\r\n`;
    }
    return edits;
  }
}

/** HeaderValueOption.HeaderAppendAction. */
const ADD_IF_ABSENT = 1;
const OVERWRITE_IF_EXISTS = 3;

/** The HeaderValue in an option; null for what cannot be a field. */
function headerValue(option: WireField[]): Field | null {
  const header = readWire(lastBytes(option, 1) ?? EMPTY);
  const name = (lastBytes(header, 1) ?? EMPTY).toString();
  const value = (lastBytes(header, 3) ?? lastBytes(header, 2) ?? EMPTY).toString("latin1");
  if (!NAME.test(name) || /[\0\r\n]/.test(value)) return null;
  return { name: name.toLowerCase(), value };
}

/** DeniedHttpResponse. */
function denied(response: WireField[]): Verdict {
  const code = lastValue(readWire(lastBytes(response, 1) ?? EMPTY), 1);
  const fields = allBytes(response, 2)
    .map((option) => headerValue(readWire(option)))
    .filter((field) => field !== null && mayEdit(field.name)) as Field[];
  const type = fields.find(({ name }) => name === "content-type")?.value;
  const lines = fields.filter(({ name }) => name !== "content-type" && name !== "date");
  const body = lastBytes(response, 3)?.toString("latin1");
  return {
    type: "deny",
    answer: {
      status: code >= 300 && code <= 599 ? code : 403,
      reason: "external-auth-denied",
      lines: lines.map(({ name, value }) => `${name}: ${value}\r\n`).join(""),
      ...(body !== undefined && { body }),
      ...(type !== undefined && { contentType: type }),
    },
  };
}
