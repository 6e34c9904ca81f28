// One HTTP/2 connection from a client (RFC 9113): what its frames mean for it and for its streams, how it ends, and what a client
// may not do with it.

import type { CompiledListener } from "../compiled-table.ts";
import { addressesOf } from "../connection-facts.ts";
import type { ConnectionFacts, ProxiedAddresses } from "../connection-facts.ts";
import { ForwardingFields } from "../forwarding-fields.ts";
import type { ReadMemory, Transport, TransportHandler } from "../io/transport.ts";
import type { ClientContext } from "../route-request.ts";
import type { AcceptingPort, OpenConnection, ServerContext } from "../server-context.ts";
import { Timer } from "../timer-wheel.ts";
import { Budget } from "./budget.ts";
import { ClientStream, STREAM_WINDOW } from "./client-stream.ts";
import { ClosedStreams } from "./closed-streams.ts";
import { ErrorCode, errorName, FIRST_WINDOW, Flag, frameHead, FrameType, goawayFrame, Setting } from "./frames.ts";
import { LARGEST_WINDOW, resetFrame, settingsFrame, windowUpdate } from "./frames.ts";
import { Outbox } from "./outbox.ts";
import { SessionReader } from "./session-reader.ts";
import type { SessionEvents } from "./session-reader.ts";
import type { StreamOwner } from "./stream-owner.ts";

/** Requests under way at a time. */
const MOST_STREAMS = 128;
/** What bodies of all streams of a connection may fill before they are taken on, in bytes. */
const CONNECTION_WINDOW = 1024 * 1024;
/** The client is told of room when there is so much of it. */
const WINDOW_STEP = CONNECTION_WINDOW / 2;
/** Requests taken back before they were answered, or that we had to reset (CVE-2023-44487, CVE-2025-8671). */
const RESETS = { burst: 200, perSecond: 20 };
/** More of them for each answer that was taken: clients give up what takes too long, and not the connection that others use. */
const RESETS_PER_ANSWER = 0.5;
/** PING and SETTINGS frames, each of which is answered. */
const CONTROL_FRAMES = { burst: 1000, perSecond: 100 };
/** Frames that carry nothing. What is sent or asked meanwhile earns more of them. */
const IDLE_FRAMES = { burst: 2000, perSecond: 1000 };
/** Times a stream is looked at while it may stall. */
const LOOKS = 4;

const State = { open: 0, draining: 1, lingering: 2, closed: 3 } as const;

export class ClientSession implements OpenConnection, StreamOwner<ClientStream>, TransportHandler, SessionEvents {
  readonly port: AcceptingPort;
  readonly context: ServerContext;
  readonly address: string;
  readonly remotePort: number;
  readonly outbox: Outbox;
  readonly memory: ReadMemory;
  readonly #transport: Transport;
  readonly #facts: ConnectionFacts;
  readonly #reader: SessionReader;
  readonly #streams = new Map<number, ClientStream>();
  readonly #closed = new ClosedStreams();
  readonly #timer: Timer;
  readonly #started: number = performance.now();
  readonly #resets: Budget;
  readonly #controls: Budget;
  readonly #idles: Budget;
  #state: number = State.open;
  #listener: CompiledListener | null = null;
  #client: ClientContext | null = null;
  /** The highest stream the client has opened, and of those the highest that is served. */
  #lastStream = 0;
  #lastServed = 0;
  #acknowledged = false;
  /** What the client may send on the connection, and what it may send more and has not been told of. */
  #window = CONNECTION_WINDOW;
  #credit = 0;
  /** Of new streams, as the client has it. */
  #streamWindow = FIRST_WINDOW;
  /** Streams that are to go on when all that was read is taken. */
  #flushes: ClientStream[] = [];
  /** When the frame or header block began that is not whole yet, 0 for none. */
  #unfinishedSince = 0;

  /** Takes the connection over. What was read of it already is to be given to `onData`. */
  constructor(transport: Transport, port: AcceptingPort, context: ServerContext, facts: ConnectionFacts) {
    this.port = port;
    this.context = context;
    this.address = facts.proxied?.sourceAddress ?? transport.remoteAddress;
    this.remotePort = facts.proxied?.sourcePort ?? transport.remotePort;
    this.#facts = facts;
    this.#transport = transport;
    this.memory = transport;
    this.outbox = new Outbox(transport);
    this.#resets = new Budget(RESETS, this.#started);
    this.#controls = new Budget(CONTROL_FRAMES, this.#started);
    this.#idles = new Budget(IDLE_FRAMES, this.#started);
    this.#timer = new Timer(() => this.#onTimer());
    this.#reader = new SessionReader(this, context.limits.headBytes);
    transport.handler = this;
    this.#greet();
    context.wheel.arm(this.#timer, context.limits.keepAliveTimeout);
    if (port.draining) this.drain();
  }

  #greet(): void {
    // The limit counts 32 bytes for each field beside its text (RFC 9113 section 6.5.2); a head that is too long for us but
    // within it is answered, not reset.
    const settings = settingsFrame([
      [Setting.maxConcurrentStreams, MOST_STREAMS],
      [Setting.initialWindowSize, STREAM_WINDOW],
      [Setting.maxHeaderListSize, 2 * this.context.limits.headBytes],
    ]);
    const window = windowUpdate(0, CONNECTION_WINDOW - FIRST_WINDOW);
    this.outbox.addFrame(settings + window);
  }

  onData(bytes: Buffer, end: number): void {
    if (this.#state >= State.lingering) return;
    this.#reader.read(bytes, end);
    const flushes = this.#flushes;
    if (flushes.length > 0) {
      this.#flushes = [];
      for (const stream of flushes) {
        stream.flushDue = false;
        stream.continueRequest();
      }
    }
    if (this.outbox.overflows) return this.#breakOff("client-stalled");
    this.#noteUnfinished();
  }

  #noteUnfinished(): void {
    const { unfinished } = this.#reader;
    if (unfinished === this.#unfinishedSince > 0 || this.#state >= State.lingering) return;
    this.#unfinishedSince = unfinished ? performance.now() : 0;
    if (this.#streams.size > 0) return;
    const { headTimeout, keepAliveTimeout } = this.context.limits;
    this.context.wheel.arm(this.#timer, unfinished ? headTimeout : keepAliveTimeout);
  }

  // Frames, as the reader found them.

  onHeaders(id: number, fields: string[], ended: boolean, tooLong: boolean): void {
    const open = this.#streams.get(id);
    if (open !== undefined) return this.#onTrailers(open, fields, ended, tooLong);
    if (id <= this.#lastStream) return this.#onLate(id);
    if ((id & 1) === 0) return this.fail(ErrorCode.protocolError);
    this.#lastStream = id;
    // Requests that cross our GOAWAY are not looked at, which the client learns from it (RFC 9113 section 6.8).
    if (this.#state !== State.open) return;
    this.#lastServed = id;
    if (this.#streams.size >= MOST_STREAMS) return this.#refuse(id);
    const stream = new ClientStream(id, fields, ended, this.#streamWindow, this);
    if (this.#streams.size === 0) this.context.wheel.arm(this.#timer, this.context.limits.stallTimeout / LOOKS);
    this.#streams.set(id, stream);
    this.#idles.earn(4);
    if (tooLong) stream.refuseHead();
    else this.flushSoon(stream);
  }

  #onTrailers(stream: ClientStream, fields: string[], ended: boolean, tooLong: boolean): void {
    if (stream.requestEnded) return stream.breakOff("client-sent-after-end", ErrorCode.streamClosed);
    if (tooLong) return stream.breakOff("trailers-too-long", ErrorCode.enhanceYourCalm);
    // RFC 9113 section 8.1: there is one header section before the body.
    if (!ended) return stream.breakOff("trailers-without-end", ErrorCode.protocolError);
    stream.takeTrailers(fields);
    stream.endRequest();
    this.#transport.releaseReadBuffer();
  }

  /** A frame that opens or fills a stream, on one that is closed. */
  #onLate(id: number): void {
    if (id > this.#lastServed || this.#closed.ignores(id)) return;
    this.fail(this.#closed.knows(id) ? ErrorCode.streamClosed : ErrorCode.protocolError);
  }

  #refuse(id: number): void {
    this.#closed.add(id, true);
    this.outbox.addFrame(resetFrame(id, ErrorCode.refusedStream));
    this.onIdleFrame();
  }

  onDataHead(id: number, length: number): void {
    if (length > this.#window) return this.fail(ErrorCode.flowControlError);
    this.#window -= length;
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      if (id > this.#lastStream || id === 0) this.fail(ErrorCode.protocolError);
      else this.#onLate(id);
    } else if (stream.requestEnded) stream.breakOff("client-sent-after-end", ErrorCode.streamClosed);
    else if (length > stream.window) stream.breakOff("window-exceeded", ErrorCode.flowControlError);
  }

  onBody(id: number, bytes: Buffer, start: number, end: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) this.credit(end - start);
    else stream.takeBody(bytes, start, end);
  }

  onDataEnd(id: number, padding: number, ended: boolean, empty: boolean): void {
    if (empty && !ended) this.onIdleFrame();
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.credit(padding);
    if (padding > 0) stream.takePadding(padding);
    if (!ended) return;
    stream.endRequest();
    // While this read lasts: memory let go later would stay until the next byte. Other bodies under way take it anew.
    this.#transport.releaseReadBuffer();
  }

  onReset(id: number): void {
    if (id > this.#lastStream || id === 0) return this.fail(ErrorCode.protocolError);
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.onIdleFrame();
    const cancelled = stream.onOver("client-reset-stream");
    this.#close(stream, false);
    if (cancelled && !this.#resets.spend(performance.now())) this.fail(ErrorCode.enhanceYourCalm);
  }

  onSettings(settings: readonly [id: number, value: number][]): void {
    for (const [id, value] of settings) {
      if (id === Setting.initialWindowSize && !this.#setStreamWindow(value))
        return this.fail(ErrorCode.flowControlError);
    }
    this.outbox.addFrame(frameHead(0, FrameType.settings, Flag.ack, 0));
    this.#onControl();
  }

  /** RFC 9113 section 6.9.2: windows of open streams move by the difference. */
  #setStreamWindow(value: number): boolean {
    const difference = value - this.#streamWindow;
    this.#streamWindow = value;
    for (const { output } of this.#streams.values()) {
      output.window += difference;
      if (output.window > LARGEST_WINDOW) return false;
      if (output.window > 0) this.outbox.list(output);
    }
    return true;
  }

  onSettingsAcknowledged(): void {
    if (this.#acknowledged) this.onIdleFrame();
    this.#acknowledged = true;
  }

  onPing(payload: string): void {
    this.outbox.addFrame(frameHead(payload.length, FrameType.ping, Flag.ack, 0) + payload);
    this.#onControl();
  }

  onWindowUpdate(id: number, increment: number): void {
    this.onIdleFrame();
    if (id === 0) {
      if (increment === 0) return this.fail(ErrorCode.protocolError);
      if (!this.outbox.open(increment)) this.fail(ErrorCode.flowControlError);
      return;
    }
    if (id > this.#lastStream) return this.fail(ErrorCode.protocolError);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (increment === 0) return stream.breakOff("window-update-of-nothing", ErrorCode.protocolError);
    stream.output.window += increment;
    if (stream.output.window > LARGEST_WINDOW) stream.breakOff("window-too-large", ErrorCode.flowControlError);
    else this.outbox.list(stream.output);
  }

  /** The client will open no further streams; those it has go on. */
  onGoaway(): void {
    this.drain();
  }

  onIdleFrame(): void {
    this.#idles.earn(this.outbox.updatesDue);
    this.outbox.updatesDue = 0;
    if (!this.#idles.spend(performance.now())) this.fail(ErrorCode.enhanceYourCalm);
  }

  #onControl(): void {
    if (!this.#controls.spend(performance.now())) this.fail(ErrorCode.enhanceYourCalm);
  }

  // What streams ask for.

  flushSoon(stream: ClientStream): void {
    if (stream.flushDue) return;
    stream.flushDue = true;
    this.#flushes.push(stream);
  }

  credit(length: number): void {
    this.#credit += length;
    if (this.#credit < WINDOW_STEP || this.#state >= State.lingering) return;
    this.outbox.addFrame(windowUpdate(0, this.#credit));
    this.#window += this.#credit;
    this.#credit = 0;
  }

  openWindow(stream: ClientStream, length: number): void {
    this.outbox.addFrame(windowUpdate(stream.id, length));
  }

  lendWindow(room: number): void {
    const lent = room - this.#window;
    if (lent <= 0) return;
    this.outbox.addFrame(windowUpdate(0, lent));
    this.#window += lent;
    this.#credit -= lent;
  }

  reset(stream: ClientStream, code: number): void {
    if (!this.#streams.has(stream.id)) return;
    stream.onOver("");
    // Before the connection may end with its last stream.
    this.outbox.addFrame(resetFrame(stream.id, code));
    this.#close(stream, true);
    // What the client has not brought about cannot be held against it.
    if (code === ErrorCode.noError || code === ErrorCode.internalError) return;
    if (!this.#resets.spend(performance.now())) this.fail(ErrorCode.enhanceYourCalm);
  }

  forget(stream: ClientStream): void {
    if (!this.#streams.has(stream.id)) return;
    stream.onOver("");
    this.#resets.earn(RESETS_PER_ANSWER);
    this.#close(stream, false);
  }

  #close(stream: ClientStream, byUs: boolean): void {
    this.#streams.delete(stream.id);
    this.#closed.add(stream.id, byUs);
    if (this.#streams.size > 0 || this.#state >= State.lingering) return;
    this.#transport.releaseReadBuffer();
    if (this.#state === State.draining) this.#linger();
    else this.context.wheel.arm(this.#timer, this.context.limits.keepAliveTimeout);
  }

  /** What backends are told about the client; looked at anew when the listener's configuration was replaced. */
  clientContext(listener: CompiledListener): ClientContext {
    if (this.#client === null || this.#listener !== listener) {
      this.#listener = listener;
      const facts = this.port.clientFacts(listener, this.address, this.#facts);
      this.#client = { facts, forwarding: new ForwardingFields(facts, this.context.serverName), connection: this };
    }
    return this.#client;
  }

  get addresses(): ProxiedAddresses {
    return this.#facts.proxied ?? addressesOf(this.address, this.remotePort, this.#transport.local);
  }

  // How it ends.

  #onTimer(): void {
    const { wheel, limits } = this.context;
    const now = performance.now();
    if (this.#state === State.lingering) return this.#transport.destroy();
    if (!this.#acknowledged && now - this.#started >= limits.headTimeout && this.#reader.greeted)
      return this.fail(ErrorCode.settingsTimeout);
    if (this.#unfinishedSince > 0) {
      const left = this.#unfinishedSince + limits.headTimeout - now;
      if (left <= 0) return this.fail(ErrorCode.protocolError);
      // The timer is coarse.
      if (this.#streams.size === 0) return wheel.arm(this.#timer, left);
    }
    if (this.#streams.size === 0) return this.drain();
    for (const stream of this.#streams.values()) stream.checkProgress(now);
    if (this.#streams.size > 0) wheel.arm(this.#timer, limits.stallTimeout / LOOKS);
  }

  /** GOAWAY: what is under way goes on, and then the connection ends. */
  drain(): void {
    if (this.#state !== State.open) return;
    this.#state = State.draining;
    this.outbox.addFrame(goawayFrame(this.#lastServed, ErrorCode.noError));
    if (this.#streams.size === 0) this.#linger();
  }

  /** An error of the connection (RFC 9113 section 5.4.1). */
  fail(code: number): void {
    if (this.#state >= State.lingering) return;
    this.#state = State.lingering;
    this.#reader.stop();
    this.#endStreams(`client-broke-connection-${errorName(code)}`);
    this.outbox.addFrame(goawayFrame(this.#lastServed, code));
    this.#linger();
  }

  /** `status` of those that have no answer yet. */
  #endStreams(reason: string, status = 499): void {
    for (const stream of this.#streams.values()) stream.onOver(reason, status);
    this.#streams.clear();
    this.#flushes = [];
  }

  /** As with HTTP/1.1 (RFC 9112 section 9.6): half-closes, and reads on for a while, so that no reset eats what was said last. */
  #linger(): void {
    this.#state = State.lingering;
    this.outbox.sendLast();
    this.#transport.end();
    this.context.wheel.arm(this.#timer, this.context.limits.lingerTimeout);
  }

  destroy(): void {
    this.#breakOff("proxy-closed", 503);
  }

  #breakOff(reason: string, status = 499): void {
    this.#endStreams(reason, status);
    this.#transport.destroy();
  }

  onDrain(): void {
    this.outbox.send();
  }

  /** A client that sends nothing more has gone, as in HTTP/1.1. */
  onEnd(): void {
    this.#transport.destroy();
  }

  onClose(): void {
    this.#state = State.closed;
    this.context.wheel.release(this.#timer);
    this.#endStreams("client-closed-connection");
    this.port.forget(this);
  }
}
