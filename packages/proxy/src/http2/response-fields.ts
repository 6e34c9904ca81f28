// A backend's header list (RFC 9113 section 8.3.2) brought into the form of an HTTP/1.1 head and read by the one strict parser
// there is, so that an answer means the same however it came.

import { STATUS_CODES } from "node:http";
import { Framing, REFUSED } from "../http1/field-lines.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { FieldId } from "../http1/tokens.ts";
import { fieldLinesOf } from "./field-lists.ts";

/** Fields that say something about one HTTP/1.1 connection (RFC 9113 section 8.2.2). */
const CONNECTION_SPECIFIC = new Set<number>([
  FieldId.connection,
  FieldId.transferEncoding,
  FieldId.upgrade,
  FieldId.keepAlive,
  FieldId.proxyConnection,
]);

/** Reads names and values in turns, as received, into `head`. Returns why the answer is refused, empty when it is not. */
export function readResponseFields(
  head: ResponseHead,
  status: number,
  fields: readonly string[],
  { toHead, longest }: { toHead: boolean; longest: number },
): string {
  const lines = fieldLinesOf(fields);
  if (lines === null) return "backend-field-name-invalid";
  if (lines.text.length > longest) return "backend-head-too-long";
  const text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.text}\r\n`;
  const bytes = Buffer.from(text, "latin1");
  const after = head.parse(bytes, 0, bytes.length, toHead, bytes.length);
  if (after === REFUSED) return head.refusal!.reason;
  if (after !== bytes.length || head.count !== lines.count) return "backend-field-value-invalid";
  for (let index = 0; index < head.count; index++) {
    if (CONNECTION_SPECIFIC.has(head.ids[index]!)) return "backend-connection-specific-field";
  }
  // The stream says where the body ends; towards HTTP/1.1 chunks have to.
  if (head.framing === Framing.untilClose) head.framing = Framing.chunked;
  return "";
}
