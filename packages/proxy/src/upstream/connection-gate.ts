// Bounds what one endpoint is given at a time: so many requests are with it, so many more wait their turn, no others.
// A request over HTTP/1.1 has a connection to itself, so this bounds the connections as well; one that is carried as it is
// counts like a request.

import type { ReadMemory } from "../io/transport.ts";
import { Timer } from "../timer-wheel.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import type { UpstreamStream, UpstreamUser } from "./upstream.ts";

export interface GateLimits {
  connections: number;
  queue: number;
}

/** A connection that is carried as it is. */
export interface TurnUser {
  /** It may connect now. */
  onTurn(): void;
  /** It has waited too long, and waits no more. */
  onQueueTimeout(): void;
}

export type Place = "inside" | "queued" | "full";

/** What stands in the queue. */
interface Waiting {
  readonly user: object;
  goIn(): void;
  leaveQueue(): void;
}

export class ConnectionGate {
  #limits: GateLimits;
  readonly #inside = new Set<object>();
  readonly #queue: Waiting[] = [];

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Lets in whoever fits into the new limits; nobody is sent away. */
  change(limits: GateLimits): void {
    this.#limits = limits;
    this.#letIn();
  }

  /** The next request goes in at once. */
  get free(): boolean {
    return this.#inside.size < this.#limits.connections;
  }

  /** The next request is turned away. */
  get full(): boolean {
    return !this.free && this.#queue.length >= this.#limits.queue;
  }

  /** As `EndpointPool.acquire`, in turn; null when the queue is full. Who waits too long is told so as a failure. */
  acquire(pool: EndpointPool, user: UpstreamUser, fresh: boolean, upgrade: boolean): UpstreamStream | null {
    if (this.free) {
      this.#inside.add(user);
      return pool.acquire(user, fresh, upgrade);
    }
    if (this.full) return null;
    const waiting = new QueuedStream({ pool, user, fresh, upgrade }, () => this.leave(user));
    this.#queue.push(waiting);
    return waiting;
  }

  /** A place for a connection that is carried as it is; `leave` must follow unless all is full. */
  enter(pool: EndpointPool, user: TurnUser): Place {
    if (this.free) {
      this.#inside.add(user);
      return "inside";
    }
    if (this.full) return "full";
    this.#queue.push(new QueuedConnection(pool, user, () => this.leave(user)));
    return "queued";
  }

  /** `user` has no business with the endpoint any more, wherever it was. */
  leave(user: object): void {
    if (!this.#inside.delete(user)) {
      const at = this.#queue.findIndex((waiting) => waiting.user === user);
      if (at >= 0) this.#queue.splice(at, 1)[0]!.leaveQueue();
    }
    this.#letIn();
  }

  #letIn(): void {
    while (this.free && this.#queue.length > 0) {
      const next = this.#queue.shift()!;
      this.#inside.add(next.user);
      next.goIn();
    }
  }
}

class QueuedConnection implements Waiting {
  readonly user: TurnUser;
  readonly #pool: EndpointPool;
  readonly #timer: Timer;

  constructor(pool: EndpointPool, user: TurnUser, onTimeout: () => void) {
    this.#pool = pool;
    this.user = user;
    this.#timer = new Timer(() => {
      onTimeout();
      user.onQueueTimeout();
    });
    pool.wheel.arm(this.#timer, pool.limits.queueTimeout);
  }

  goIn(): void {
    this.leaveQueue();
    this.user.onTurn();
  }

  leaveQueue(): void {
    this.#pool.wheel.release(this.#timer);
  }
}

/** What `EndpointPool.acquire` will be asked for. */
interface Wanted {
  pool: EndpointPool;
  user: UpstreamUser;
  fresh: boolean;
  upgrade: boolean;
}

/** Stands for a stream until there may be one, which `onConnected` then names. */
class QueuedStream implements UpstreamStream, Waiting {
  readonly user: UpstreamUser;
  readonly ready = false;
  readonly reused = false;
  readonly blocked = false;
  readonly #wanted: Wanted;
  readonly #timer: Timer;
  #stream: UpstreamStream | null = null;

  constructor(wanted: Wanted, onTimeout: () => void) {
    const { pool, user } = wanted;
    this.#wanted = wanted;
    this.user = user;
    this.#timer = new Timer(() => {
      onTimeout();
      user.onFailure("overloaded", "connection-queue-timeout");
    });
    pool.wheel.arm(this.#timer, pool.limits.queueTimeout);
  }

  goIn(): void {
    this.leaveQueue();
    const { pool, user, fresh, upgrade } = this.#wanted;
    const stream = pool.acquire(user, fresh, upgrade);
    this.#stream = stream;
    if (stream.ready) user.onConnected(stream);
  }

  leaveQueue(): void {
    this.#wanted.pool.wheel.release(this.#timer);
  }

  /** Whoever has this stream leaves the gate, too. */
  abandon(): void {
    this.#stream?.abandon();
  }

  get memory(): ReadMemory {
    throw new Error("a queued stream has no memory");
  }

  begin(): void {
    throw new Error("a queued stream cannot begin");
  }

  // Nothing can be said to an endpoint before `begin`.
  sendBody(): void {}
  endBody(): void {}
  pause(): void {}
  resume(): void {}
  endTunnel(): void {}

  flush(): boolean {
    return true;
  }
}
