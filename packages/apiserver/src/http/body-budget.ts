// A bound on what bodies of requests take of memory together, however many clients send them and however slowly.

import { StatusError } from "@gatehouse/apimachinery/status-error";

/** Some eighty bodies of the largest size at once; kube-apiserver allows 200 writes at a time. */
const maxBytes = 256 * 1024 * 1024;

export class BodyBudget {
  readonly #max: number;
  #held = 0;

  constructor(max = maxBytes) {
    this.#max = max;
  }

  /** Takes `bytes`, to be given back. Throws 429, with a time to wait, when there is no room for them. */
  take(bytes: number): void {
    if (this.#held + bytes > this.#max) {
      throw new StatusError({
        code: 429,
        reason: "TooManyRequests",
        message: "Too many requests, please try again later.",
        details: { retryAfterSeconds: 1 },
      });
    }
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}
