// One HTTP/1.1 connection from a client: reads requests one after another, answers them in order, and keeps both sides
// from running ahead of each other. Policy for half-closed clients: a FIN while a request is under way means the client
// has gone (as nginx and Go have it); in a tunnel it closes one half.

import { performance } from "node:perf_hooks";
import type { AccessRecord } from "../access.ts";
import type { CompiledListener, CompiledRoute } from "../compiled-table.ts";
import { addressesOf } from "../connection-facts.ts";
import type { ConnectionFacts, ProxiedAddresses } from "../connection-facts.ts";
import type { Downstream, RequestFlow } from "../request-flow.ts";
import type { HeaderEdits } from "../filters.ts";
import { ForwardingFields } from "../forwarding-fields.ts";
import { BatchedWriter } from "../io/batched-writer.ts";
import type { ReadMemory, Transport, TransportHandler } from "../io/transport.ts";
import type { OwnAnswer } from "../own-answer.ts";
import { requestFlow } from "../policies/held-request.ts";
import { routeRequest } from "../route-request.ts";
import type { ClientContext } from "../route-request.ts";
import { Timer } from "../timer-wheel.ts";
import type { AcceptingPort, OpenConnection, ServerContext } from "../server-context.ts";
import { ChunkedDecoder } from "./chunked.ts";
import type { BodySink } from "./chunked.ts";
import { Framing, INCOMPLETE, REFUSED } from "./field-lines.ts";
import { ownAnswerText, ownBody, responseHeadText } from "./head-writer.ts";
import { HTTP2_PREFACE } from "./request-head.ts";
import type { RequestHead } from "./request-head.ts";
import { requestHead, RequestReader } from "./request-reader.ts";
import type { ResponseHead } from "./response-head.ts";

const State = { head: 0, body: 1, wait: 2, tunnel: 3, linger: 4, closed: 5 } as const;
const NOTHING = Buffer.alloc(0);

/** Bytes that are rather copied than kept in place. */
const SMALL_REST = 8 * 1024;

export class ClientConnection implements OpenConnection, TransportHandler, Downstream, BodySink {
  readonly #transport: Transport;
  readonly #port: AcceptingPort;
  readonly #context: ServerContext;
  readonly #out: BatchedWriter;
  readonly #timer: Timer;
  readonly #facts: ConnectionFacts;
  readonly #address: string;
  readonly #remotePort: number;
  #listener: CompiledListener | null = null;
  #client: ClientContext | null = null;
  #state: number = State.head;
  readonly #head: RequestReader;
  /** Bytes read but not yet used; reading is paused while there are any. */
  #pending: Buffer | null = null;
  #inTurn = false;
  #exchange: RequestFlow | null = null;
  #record: AccessRecord | null = null;
  #route: CompiledRoute | null = null;
  #started = 0;
  #remaining = 0;
  #decoder: ChunkedDecoder | null = null;
  #toHead = false;
  #minor = 1;
  #close = false;
  #askedToClose = false;
  #responding = false;
  #chunked = false;
  /** How long a slow reader may take for what is still unsent when we close. */
  #lingerUntil = 0;

  constructor(transport: Transport, port: AcceptingPort, context: ServerContext, facts: ConnectionFacts) {
    this.#transport = transport;
    this.#port = port;
    this.#context = context;
    this.#facts = facts;
    this.#address = facts.proxied?.sourceAddress ?? transport.remoteAddress;
    this.#remotePort = facts.proxied?.sourcePort ?? transport.remotePort;
    this.#out = new BatchedWriter(transport);
    this.#head = new RequestReader(context.limits);
    this.#timer = new Timer(() => this.#onTimeout());
    transport.handler = this;
    context.wheel.arm(this.#timer, context.limits.keepAliveTimeout);
  }

  drain(): void {
    if (this.#state !== State.head || this.#head.started) return;
    if (this.#transport.unsent > 0) this.#linger();
    else this.#transport.destroy();
  }

  destroy(): void {
    this.#exchange?.cancel();
    if (this.#record !== null && !this.#responding) this.#record.status = 503;
    this.abort("proxy-closed");
  }

  onData(bytes: Buffer, end: number): void {
    if (this.#pending === null) return this.#turn(bytes, end);
    this.#pending = Buffer.concat([this.#pending, bytes.subarray(0, end)]);
  }

  /** Uses bytes[0, end) up, or keeps what cannot be used yet. */
  #turn(bytes: Buffer, end: number): void {
    let at = 0;
    this.#inTurn = true;
    while (at < end && this.#state < State.linger) {
      if (this.#mustWait()) {
        this.#stash(bytes, at, end);
        break;
      }
      if (this.#state === State.head) at = this.#readHead(bytes, at, end);
      else if (this.#state === State.body) at = this.#readBody(bytes, at, end);
      else {
        this.#exchange!.sendBody(bytes, at, end, this.#transport);
        at = end;
      }
    }
    this.#inTurn = false;
    if (this.#state >= State.linger) return;
    const free = this.flush();
    if (this.#exchange === null ? !free : !this.#exchange.flushRequest()) this.#holdBack();
  }

  #mustWait(): boolean {
    // Who does not read answers may not ask for more: they would pile up here.
    if (this.#state === State.head) return this.#transport.blocked;
    return this.#state === State.wait || !this.#exchange!.ready || this.#exchange!.requestBlocked;
  }

  #stash(bytes: Buffer, at: number, end: number): void {
    const rest = bytes.subarray(at, end);
    // Little, as of requests that come before the last was answered, is no sign of a large body.
    if (rest.length <= SMALL_REST) this.#pending = Buffer.from(rest);
    else {
      this.#pending = this.#transport.borrow(rest);
      this.#transport.keepReadBuffer();
    }
    this.#holdBack();
  }

  /** Not the client keeps us waiting now, so its body does not time out meanwhile. */
  #holdBack(): void {
    this.#transport.pause();
    if (this.#state === State.body) this.#context.wheel.disarm(this.#timer);
  }

  /** Answers were read at last. */
  #readOn(): void {
    const { headTimeout, keepAliveTimeout } = this.#context.limits;
    this.#context.wheel.arm(this.#timer, this.#head.started ? headTimeout : keepAliveTimeout);
    this.continueRequest();
  }

  /** Returns the position to go on from. */
  #readHead(bytes: Buffer, at: number, end: number): number {
    const { limits, wheel } = this.#context;
    const started = this.#head.started;
    const after = this.#head.read(bytes, at, end);
    if (after === INCOMPLETE) {
      if (!started) wheel.arm(this.#timer, limits.headTimeout);
      return end;
    }
    if (after === REFUSED) {
      if (requestHead.refusal === HTTP2_PREFACE && this.#client === null) this.#changeToHttp2(bytes.subarray(at, end));
      else this.#refuse(requestHead.refusal!.status, requestHead.refusal!.reason);
      return end;
    }
    this.#begin(requestHead);
    return after;
  }

  /** Nothing has been asked on this connection yet: the client knew beforehand that HTTP/2 is understood here. */
  #changeToHttp2(bytes: Buffer): void {
    this.#state = State.closed;
    this.#context.wheel.release(this.#timer);
    this.#port.serveHttp2(this, this.#transport, this.#head.refused(bytes), this.#facts);
  }

  #readBody(bytes: Buffer, at: number, end: number): number {
    this.#context.wheel.arm(this.#timer, this.#context.limits.stallTimeout);
    if (this.#decoder === null) {
      const stop = Math.min(end, at + this.#remaining);
      this.#remaining -= stop - at;
      this.#exchange!.sendBody(bytes, at, stop, this.#transport);
      if (this.#remaining === 0) this.#endRequest("");
      return stop;
    }
    const after = this.#decoder.decode(bytes, at, end, this);
    if (after === REFUSED) {
      this.#breakOff(this.#decoder.refusal!.status, this.#decoder.refusal!.reason);
      return end;
    }
    if (this.#decoder.done) this.#endRequest(this.#decoder.trailers);
    return after;
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#exchange!.sendBody(bytes, start, end, this.#transport);
  }

  #endRequest(trailers: string): void {
    this.#state = State.wait;
    this.#decoder = null;
    this.#context.wheel.disarm(this.#timer);
    this.#transport.releaseReadBuffer();
    this.#exchange!.endBody(trailers);
  }

  continueRequest(): void {
    if (this.#inTurn || this.#state >= State.linger) return;
    const pending = this.#pending ?? NOTHING;
    this.#pending = null;
    this.#transport.resume();
    if (this.#state === State.body) this.#context.wheel.arm(this.#timer, this.#context.limits.stallTimeout);
    this.#turn(pending, pending.length);
  }

  #begin(head: RequestHead): void {
    const { wheel } = this.#context;
    this.#toHead = head.method === "HEAD";
    this.#minor = head.minor;
    this.#askedToClose = !head.keepAlive;
    this.#close = this.#askedToClose || this.#port.draining;
    this.#responding = false;
    this.#chunked = false;
    this.#decoder = head.framing === Framing.chunked ? new ChunkedDecoder() : null;
    this.#remaining = head.contentLength;
    const hasBody = this.#decoder !== null || this.#remaining > 0;
    this.#state = hasBody ? State.body : State.wait;
    if (hasBody) wheel.arm(this.#timer, this.#context.limits.stallTimeout);
    else wheel.disarm(this.#timer);
    const listener = this.#port.listener;
    const record = this.#open(head);
    const decision = routeRequest(listener, head, this.#clientContext(listener));
    this.#route = decision.route;
    if (decision.route !== null) {
      record.route = decision.route.route.id;
      decision.route.counters.active++;
    }
    if (decision.type === "answer") return this.answer(decision.answer);
    this.#exchange = requestFlow(this.#context, this, decision, record, this.#started);
    this.#exchange.start();
  }

  /** Starts the account of a request; `head` is null when it could not be read. */
  #open(head: RequestHead | null): AccessRecord {
    this.#started = performance.now();
    this.#port.counters.active++;
    const { name } = this.#port.listener.listener;
    this.#record = this.#context.openRecord(name, this.#address, this.#remotePort, head, this.#started);
    return this.#record;
  }

  /** What backends are told about the client; looked at anew when the listener's configuration was replaced. */
  #clientContext(listener: CompiledListener): ClientContext {
    if (this.#client === null || this.#listener !== listener) {
      this.#listener = listener;
      const facts = this.#port.clientFacts(listener, this.#address, this.#facts);
      this.#client = { facts, forwarding: new ForwardingFields(facts, this.#context.serverName), connection: this };
    }
    return this.#client;
  }

  /** A system call each time. */
  get addresses(): ProxiedAddresses {
    const { remoteAddress, remotePort, local } = this.#transport;
    return this.#facts.proxied ?? addressesOf(remoteAddress, remotePort, local);
  }

  /** An answer of the proxy's own. A request whose body is still to come ends the connection. */
  answer(own: OwnAnswer): void {
    this.#close ||= this.#state === State.body || this.#port.draining;
    const body = ownBody(own);
    this.#out.addText(ownAnswerText(own, body, this.#connection(), this.#toHead));
    const { status, reason } = own;
    Object.assign(this.#record!, { status, reason, bytes: this.#toHead ? 0 : body.length });
    this.#over();
  }

  /** The value for Connection in the answer. */
  #connection(): string {
    return this.#close ? "close" : this.#minor === 0 ? "keep-alive" : "";
  }

  /** A head that cannot be trusted: answered, nothing forwarded, connection closed. */
  #refuse(status: number, reason: string): void {
    this.#open(null);
    this.#close = true;
    this.#toHead = false;
    this.answer({ status, reason, lines: "" });
  }

  /** The client's own fault in the middle of a body. */
  #breakOff(status: number, reason: string): void {
    this.#exchange!.cancel();
    if (this.#responding) return this.abort(reason);
    this.#close = true;
    this.answer({ status, reason, lines: "" });
  }

  /** The answer is written: account for it, then close or go on with what the client has sent meanwhile. */
  #over(): void {
    const close = this.#close || this.#state === State.body || this.#port.draining;
    this.#report();
    if (close) return this.#end();
    this.#state = State.head;
    this.#context.wheel.arm(this.#timer, this.#context.limits.keepAliveTimeout);
    this.continueRequest();
  }

  #report(): void {
    const record = this.#record;
    if (record === null) return;
    this.#record = null;
    record.duration = performance.now() - this.#started;
    const service = this.#exchange?.service ?? null;
    const endpoint = this.#exchange?.target?.pool ?? null;
    this.#context.closeRecord(record, this.#port, this.#route, service, endpoint);
    this.#exchange = null;
    this.#route = null;
  }

  /** The last answer is out. A client that asked for the end has sent all it will: nothing can reset the answer away. Over TLS the end
   * has to be said, or an answer without a length would look cut off. */
  #end(): void {
    if (!this.#askedToClose || this.#state !== State.wait || this.#facts.tls) return this.#linger();
    this.#out.flush();
    if (this.#transport.unsent > 0 || this.#pending !== null) return this.#linger();
    this.#state = State.closed;
    this.#transport.destroy();
  }

  /** RFC 9112 section 9.6: half-close, then drain for a while, so that the last answer is not lost to a reset. */
  #linger(): void {
    this.#out.flush();
    this.#state = State.linger;
    this.#lingerUntil = performance.now() + this.#context.limits.stallTimeout;
    this.#pending = null;
    this.#transport.end();
    this.#transport.resume();
    this.#context.wheel.arm(this.#timer, this.#context.limits.lingerTimeout);
  }

  sendInformational(head: ResponseHead): void {
    if (this.#minor === 1) this.#out.addText(responseHeadText(head, null, false, ""));
  }

  sendContinue(): void {
    if (this.#minor === 1) this.#out.addText("HTTP/1.1 100 Continue\r\n\r\n");
  }

  sendHead(head: ResponseHead, edits: HeaderEdits | null): void {
    this.#responding = true;
    this.#record!.status = head.status;
    const sized = head.framing === Framing.none || head.framing === Framing.length;
    this.#chunked = !sized && this.#minor === 1;
    if ((!sized && !this.#chunked) || this.#port.draining) this.#close = true;
    this.#out.addText(responseHeadText(head, edits, this.#chunked, this.#connection()));
  }

  sendBody(bytes: Buffer, start: number, end: number, source: ReadMemory): void {
    this.#record!.bytes += end - start;
    if (!this.#chunked) return this.#out.addBytes(bytes, start, end, source);
    this.#out.addText(`${(end - start).toString(16)}\r\n`);
    this.#out.addBytes(bytes, start, end, source);
    this.#out.addText("\r\n");
  }

  sendEnd(trailers: string): void {
    if (this.#chunked) this.#out.addText(`0\r\n${trailers}\r\n`);
    this.#record!.reason = "";
    this.#over();
  }

  sendSwitch(head: ResponseHead, edits: HeaderEdits | null): void {
    this.#responding = true;
    this.#record!.status = 101;
    this.#record!.reason = "";
    this.#out.addText(responseHeadText(head, edits, false, "Upgrade"));
    this.#state = State.tunnel;
    this.#context.wheel.disarm(this.#timer);
    this.continueRequest();
  }

  endTunnel(): void {
    if (this.#state !== State.tunnel) return;
    this.#out.flush();
    this.#transport.end();
    this.#context.wheel.arm(this.#timer, this.#context.limits.stallTimeout);
  }

  flush(): boolean {
    const free = this.#out.flush();
    if (!free) this.#context.wheel.arm(this.#timer, this.#context.limits.stallTimeout);
    return free;
  }

  abort(reason: string): void {
    if (this.#record !== null) this.#record.reason = reason;
    this.#report();
    this.#state = State.closed;
    this.#transport.destroy();
  }

  onDrain(): void {
    if (this.#state === State.wait || this.#state === State.tunnel) this.#context.wheel.disarm(this.#timer);
    if (this.#state === State.head) this.#readOn();
    else this.#exchange?.onClientDrain();
  }

  onEnd(): void {
    if (this.#state === State.tunnel) return this.#exchange!.endTunnel();
    if (this.#state === State.body || this.#state === State.wait) this.#transport.destroy();
    else this.#transport.end();
  }

  onClose(): void {
    this.#context.wheel.release(this.#timer);
    this.#exchange?.cancel();
    if (this.#record !== null && this.#state !== State.tunnel) {
      this.#record.reason = "client-closed-connection";
      if (!this.#responding) this.#record.status = 499;
    }
    this.#report();
    this.#state = State.closed;
    this.#pending = null;
    this.#port.forget(this);
  }

  #onStall(): void {
    // The backend has ended the tunnel, and the client goes on.
    if (this.#state === State.tunnel && this.#transport.unsent === 0) return this.#transport.destroy();
    this.#exchange?.cancel();
    this.abort("client-stalled");
  }

  #onTimeout(): void {
    switch (this.#state) {
      case State.head:
        if (!this.#head.started) return this.#transport.destroy();
        return this.#refuse(408, "request-head-timeout");
      case State.body:
        return this.#breakOff(408, "request-body-timeout");
      case State.wait:
      case State.tunnel:
        return this.#onStall();
      case State.linger:
        if (this.#transport.unsent === 0 || performance.now() > this.#lingerUntil) return this.#transport.destroy();
        return this.#context.wheel.arm(this.#timer, this.#context.limits.lingerTimeout);
      default:
        this.#transport.destroy();
    }
  }
}
