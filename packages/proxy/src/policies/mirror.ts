// Which requests go to a mirror as well (HTTPRequestMirrorFilter, GEP-3171).

import type { Mirror } from "../routing-table.ts";
import type { ServiceState } from "../upstream/service-state.ts";

/** A mirror of a route with its share of the requests. */
export class MirrorTarget {
  readonly service: ServiceState;
  readonly #share: number;
  #credit = 0;

  constructor(filter: Mirror, service: ServiceState) {
    this.service = service;
    const { numerator, denominator } = filter.fraction ?? { numerator: 1, denominator: 1 };
    this.#share = denominator > 0 ? Math.min(Math.max(numerator / denominator, 0), 1) : 0;
  }

  /** Whether the next request is one of them. Chosen at random, so that a client that alternates between two things has
   * both mirrored, but never more than one request away from the share. */
  takes(): boolean {
    this.#credit += this.#share;
    if (this.#credit <= Math.random()) return false;
    this.#credit--;
    return true;
  }
}
