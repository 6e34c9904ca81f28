// Asks over HTTP whether a request may pass: 200 lets it, any other answer is the client's.

import type { FieldLines } from "../http1/field-lines.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { latin1 } from "../io/latin1.ts";
import type { OutgoingRequest } from "../upstream/upstream.ts";
import { mayEdit } from "./external-auth.ts";
import type { AuthQuestion, AuthTarget, Field, Verdict } from "./external-auth.ts";
import type { SubRequestUser } from "./sub-request.ts";

/** Longest body in bytes of an answer that a client is given. */
const LONGEST = 1024 * 1024;

/** Fields of a message that are about the message itself or the connection it came by. */
const NOT_PASSED_ON = new Set(
  "connection,keep-alive,proxy-connection,te,trailer,transfer-encoding,upgrade,content-length,content-type,date".split(
    ",",
  ),
);

/** The request to the service. HTTPAuthConfig.allowedHeaders names what is always shown. */
export function httpQuestion(question: AuthQuestion, target: AuthTarget, body: Buffer): OutgoingRequest {
  const shown = question.fields.filter(
    ({ name }) => name !== "content-length" && (name === "authorization" || target.allowedHeaders.has(name)),
  );
  const path = question.path === "*" ? "" : question.path;
  return {
    method: question.method,
    target: target.prefix + path || "/",
    host: question.host,
    text: null,
    lines: linesOf(shown) + `Content-Length: ${body.length}\r\n`,
    scheme: question.scheme,
    hasBody: body.length > 0,
    chunked: false,
    acceptsTrailers: false,
    upgrade: "",
    replayable: false,
    client: null,
  };
}

const linesOf = (fields: Field[]): string => fields.map(({ name, value }) => `${name}: ${value}\r\n`).join("");

function fieldsIn(head: FieldLines): Field[] {
  return Array.from({ length: head.count }, (_, at) => ({ name: head.name(at).toLowerCase(), value: head.value(at) }));
}

export class HttpVerdict implements SubRequestUser {
  readonly #target: AuthTarget;
  readonly #done: (verdict: Verdict) => void;
  #status = 0;
  #fields: Field[] = [];
  #body = "";

  constructor(target: AuthTarget, done: (verdict: Verdict) => void) {
    this.#target = target;
    this.#done = done;
  }

  onAnswer(head: ResponseHead): void {
    this.#status = head.status;
    const options = head.connectionOptions ?? [];
    this.#fields = fieldsIn(head).filter(({ name }) => !options.includes(name));
  }

  onAnswerBody(bytes: Buffer, start: number, end: number): void {
    if (this.#body.length + end - start <= LONGEST) this.#body += latin1(bytes, start, end);
    else this.#status = 0;
  }

  onAnswerEnd(): void {
    if (this.#status === 0) return this.onFailed("answer-too-long");
    this.#done(this.#status === 200 ? this.#allow() : this.#deny());
  }

  onFailed(reason: string): void {
    this.#done({ type: "failed", reason });
  }

  /** What the client said under a name that is the service's to say does not count, whether the service says it or not. */
  #allow(): Verdict {
    const { allowedResponseHeaders } = this.#target;
    const listed = allowedResponseHeaders.size > 0;
    const copied = this.#fields.filter(
      ({ name }) => mayEdit(name) && (listed ? allowedResponseHeaders.has(name) : isCopied(name)),
    );
    const names = listed ? [...allowedResponseHeaders].filter(mayEdit) : copied.map(({ name }) => name);
    return {
      type: "allow",
      request: { drop: new Set(names), append: linesOf(copied) },
      response: { drop: new Set(), append: "" },
    };
  }

  #deny(): Verdict {
    const type = this.#fields.find(({ name }) => name === "content-type")?.value;
    const lines = linesOf(this.#fields.filter(({ name }) => !NOT_PASSED_ON.has(name)));
    // Only 200 lets pass: what looks like success to the client must not come of a refusal.
    const status = this.#status < 300 ? 403 : this.#status;
    const answer = { status, reason: "external-auth-denied", lines, body: this.#body };
    return { type: "deny", answer: type === undefined ? answer : { ...answer, contentType: type } };
  }
}

/** Without a list everything is copied but what describes the service's own message. */
const isCopied = (name: string): boolean => !NOT_PASSED_ON.has(name) && !name.startsWith("content-");
