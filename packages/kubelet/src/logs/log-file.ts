// The log of one container instance: appended in order, rotated by size, with news for those who follow it.

import { close, fstatSync, openSync, renameSync, write } from "node:fs";
import type { Readable } from "node:stream";
import { lineSplitter, formatLogLine, logTime, type StreamName } from "./log-line.ts";

export interface LogFile {
  readonly path: string;
  /** How many times it was rotated: the older half of the log is in `<path>.1`. */
  readonly rotations: number;
  /** True once the instance has ended and everything is written. */
  readonly ended: boolean;
  /** Counts the calls of change listeners. */
  readonly changes: number;
  /** Writes everything that `source` says until it ends. */
  capture(source: Readable, stream: StreamName): void;
  /** Called after every write and at the end. Returns the way to unsubscribe. */
  onChange(listener: () => void): () => void;
  /** Resolves when all captured sources have ended and are written; the file is closed then. */
  end(): Promise<void>;
}

export interface LogFileOptions {
  path: string;
  /** Rotated when it grows beyond this. */
  maxBytes: number;
  now?: () => number;
}

// Beyond this much unwritten text the sources wait: a chatty container slows down instead of filling the memory.
const maxPendingBytes = 1024 * 1024;

export function createLogFile(options: LogFileOptions): LogFile {
  return new RotatingLogFile(options);
}

class RotatingLogFile implements LogFile {
  readonly path: string;
  rotations = 0;
  ended = false;
  changes = 0;
  readonly #maxBytes: number;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  readonly #sources = new Set<Readable>();
  readonly #finished = Promise.withResolvers<void>();
  #descriptor: number;
  #size: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #writing = false;
  #ending = false;

  constructor({ path, maxBytes, now = Date.now }: LogFileOptions) {
    this.path = path;
    this.#maxBytes = maxBytes;
    this.#now = now;
    this.#descriptor = openSync(path, "a", 0o600);
    this.#size = fstatSync(this.#descriptor).size;
  }

  capture(source: Readable, stream: StreamName): void {
    const splitter = lineSplitter(stream);
    this.#sources.add(source);
    source.on("data", (chunk: Buffer) => this.#append(splitter.push(chunk, this.#time()).map(formatLogLine)));
    source.on("error", () => {});
    source.on("close", () => {
      this.#sources.delete(source);
      this.#append(splitter.end(this.#time()).map(formatLogLine));
      this.#settle();
    });
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  end(): Promise<void> {
    this.#ending = true;
    this.#settle();
    return this.#finished.promise;
  }

  #time(): string {
    return logTime(this.#now());
  }

  #append(entries: Buffer[]): void {
    for (const entry of entries) {
      this.#pending.push(entry);
      this.#pendingBytes += entry.length;
    }
    if (this.#pendingBytes > maxPendingBytes) for (const source of this.#sources) source.pause();
    this.#flush();
  }

  #flush(): void {
    if (this.#writing || this.#pending.length === 0) return;
    if (this.#size > this.#maxBytes) this.#rotate();
    const data = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#writing = true;
    write(this.#descriptor, data, (error) => {
      this.#writing = false;
      // A full disk loses log lines, never the container.
      if (!error) this.#size += data.length;
      for (const source of this.#sources) if (source.isPaused()) source.resume();
      this.#flush();
      this.#notify();
      this.#settle();
    });
  }

  #rotate(): void {
    const old = this.#descriptor;
    try {
      renameSync(this.path, `${this.path}.1`);
      this.#descriptor = openSync(this.path, "a", 0o600);
    } catch {
      // The pod's directory is gone: the open file takes the rest.
      return;
    }
    this.#size = 0;
    this.rotations++;
    close(old);
  }

  #settle(): void {
    if (this.ended || !this.#ending || this.#writing || this.#sources.size > 0 || this.#pending.length > 0) return;
    this.ended = true;
    close(this.#descriptor);
    this.#finished.resolve();
    this.#notify();
  }

  #notify(): void {
    this.changes++;
    for (const listener of this.#listeners) listener();
  }
}
