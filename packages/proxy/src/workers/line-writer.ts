// The access log of one worker: it makes its lines itself, and sends them in large pieces to the process that writes them all.
// Only what a line calls a route is known there alone, and asked once per route and table.

import type { AccessRecord } from "../access.ts";
import { LineBatch } from "../line-batch.ts";
import type { LineFormat } from "../line-batch.ts";
import type { AccessLogStart, FromWorker, RouteName } from "./messages.ts";

/** Records that wait for a name: an answer takes a turn or two of the other process. */
const MOST_HELD = 20_000;

export class LineWriter {
  readonly #start: AccessLogStart;
  readonly #tell: (message: FromWorker, sent?: () => void) => void;
  readonly #batch: LineBatch;
  /** By listener and route; null while it is asked for. */
  readonly #names = new Map<string, Map<string, string | null>>();
  #wanted: Omit<RouteName, "name">[] = [];
  #held: AccessRecord[] = [];
  #unsent = 0;
  #last: number;

  /** `tell` calls `sent` when the message has left the process. */
  constructor(
    format: LineFormat,
    start: AccessLogStart,
    tell: (message: FromWorker, sent?: () => void) => void,
    log: (line: string) => void,
  ) {
    this.#start = start;
    this.#last = start.after;
    this.#tell = tell;
    const sink = { write: (lines: Uint8Array) => this.#send(lines), backlog: () => this.#unsent };
    this.#batch = new LineBatch(sink, format, log);
  }

  #send(lines: Uint8Array): void {
    this.#unsent += lines.length;
    this.#tell({ type: "lines", lines, last: this.#last }, () => (this.#unsent -= lines.length));
  }

  write(record: AccessRecord): void {
    const name = this.#nameOf(record);
    if (name !== null && this.#held.length === 0) this.#add(record, name);
    else if (this.#held.length < MOST_HELD) this.#held.push(record);
    else this.#batch.drop(1, "names of routes do not come");
  }

  /** Null when the name is not known yet: it is asked for, if nobody has. */
  #nameOf({ listener, route }: AccessRecord): string | null {
    if (route === "") return "";
    let routes = this.#names.get(listener);
    if (routes === undefined) this.#names.set(listener, (routes = new Map()));
    const name = routes.get(route);
    if (name !== undefined) return name;
    routes.set(route, null);
    this.#ask(listener, route);
    return null;
  }

  /** For all that a turn of the event loop finds missing in one message. */
  #ask(listener: string, route: string): void {
    if (this.#wanted.length === 0)
      setImmediate(() => {
        this.#tell({ type: "nameless", routes: this.#wanted });
        this.#wanted = [];
      });
    this.#wanted.push({ listener, route });
  }

  #add(record: AccessRecord, name: string): void {
    const { after, step } = this.#start;
    // What is no request has no number.
    if (record.requestCount > 0) {
      record.requestCount = after + record.requestCount * step;
      if (record.requestCount > this.#last) this.#last = record.requestCount;
    }
    this.#batch.add(record, name);
  }

  learn(names: readonly RouteName[]): void {
    for (const { listener, route, name } of names) this.#names.get(listener)?.set(route, name);
    let at = 0;
    for (; at < this.#held.length; at++) {
      const name = this.#nameOf(this.#held[at]!);
      if (name === null) break;
      this.#add(this.#held[at]!, name);
    }
    this.#held = this.#held.slice(at);
  }

  /** There is a new table: its routes may be called otherwise. */
  forget(): void {
    this.#names.clear();
    for (const record of this.#held) this.#nameOf(record);
  }

  /** All there is goes out, now or never. */
  flush(): void {
    for (const record of this.#held.splice(0)) this.#add(record, this.#nameOf(record) ?? "");
    this.#batch.flush();
  }
}
