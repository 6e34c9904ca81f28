// Reads the heads of the requests on one connection.

import type { Limits } from "../limits.ts";
import { HeadReader } from "./head-buffer.ts";
import { RequestHead } from "./request-head.ts";

/** What any reader has read last: valid until the next `read`. */
export const requestHead: RequestHead = new RequestHead();

export class RequestReader extends HeadReader {
  readonly #limits: Limits;

  constructor(limits: Limits) {
    super(limits.headBytes);
    this.#limits = limits;
  }

  protected override parse(bytes: Buffer, start: number, end: number): number {
    return requestHead.parse(bytes, start, end, this.#limits);
  }
}
