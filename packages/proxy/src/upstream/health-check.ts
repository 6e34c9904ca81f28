// Active health checks: each endpoint of a service is asked over HTTP in the background, and left out while it answers
// badly. A service without endpoints that do well is served by all of them, as a broken check must not take it down.

import type { ResponseHead } from "../http1/response-head.ts";
import type { HealthCheck } from "../routing-table.ts";
import { hostOrNull, safeTarget } from "../safe-text.ts";
import { Timer } from "../timer-wheel.ts";
import type { Target } from "./target.ts";
import type { OutgoingRequest, UpstreamStream, UpstreamUser } from "./upstream.ts";

/** Asks one endpoint until it is stopped. */
export class HealthProbe implements UpstreamUser {
  readonly #target: Target;
  readonly #check: HealthCheck;
  readonly #request: OutgoingRequest;
  readonly #timer: Timer;
  #stream: UpstreamStream | null = null;
  #asking = false;
  /** Of results that speak against what is believed. */
  #inARow = 0;
  #status = 0;

  constructor(target: Target, check: HealthCheck) {
    this.#target = target;
    this.#check = check;
    this.#request = checkRequest(check, target.pool.key);
    this.#timer = new Timer(() => (this.#asking ? this.#give(false) : this.#ask()));
    // Not all at once: endpoints that came together would be asked together for ever.
    target.pool.wheel.arm(this.#timer, Math.random() * Math.min(check.interval, 1_000));
  }

  stop(): void {
    this.#target.pool.wheel.release(this.#timer);
    this.#target.healthy = true;
    this.#letGo();
  }

  #ask(): void {
    const { pool } = this.#target;
    this.#asking = true;
    pool.wheel.arm(this.#timer, this.#check.timeout);
    const stream = pool.acquire(this, false, false);
    if (stream.ready) this.onConnected(stream);
    else this.#stream = stream;
  }

  onConnected(stream: UpstreamStream): void {
    this.#stream = stream;
    stream.begin(this, this.#request);
    stream.flush();
  }

  #letGo(): void {
    const stream = this.#stream;
    this.#stream = null;
    this.#asking = false;
    stream?.abandon();
  }

  /** Takes a result into account and waits for the next turn. */
  #give(well: boolean): void {
    this.#letGo();
    const target = this.#target;
    if (!well) target.pool.counters.failedChecks++;
    this.#inARow = well === target.healthy ? 0 : this.#inARow + 1;
    const { interval, healthyAfter, unhealthyAfter } = this.#check;
    if (this.#inARow >= (well ? healthyAfter : unhealthyAfter) && well !== target.healthy) {
      target.healthy = well;
      this.#inARow = 0;
    }
    target.pool.wheel.arm(this.#timer, interval);
  }

  /** As a kubelet's probe has it: success is 200 to 399. The body does not matter, small ones save the connection. */
  onResponse({ status }: ResponseHead): void {
    this.#status = status;
  }

  onResponseEnd(): void {
    this.#stream = null;
    this.#give(this.#status >= 200 && this.#status < 400);
  }

  onSwitchingProtocols(): void {
    this.#give(false);
  }

  onFailure(): void {
    this.#stream = null;
    this.#give(false);
  }

  onInformational(): void {}
  onBody(): void {}
  onReadDone(): void {}
  onUpstreamDrain(): void {}
}

function checkRequest({ path, host }: HealthCheck, key: string): OutgoingRequest {
  return {
    method: "GET",
    target: safeTarget(path.startsWith("/") ? path : `/${path}`),
    host: (host === undefined ? null : hostOrNull(host)) ?? key,
    text: null,
    lines: "User-Agent: gatehouse-health-check\r\nAccept: */*\r\n",
    scheme: "http",
    hasBody: false,
    chunked: false,
    acceptsTrailers: false,
    upgrade: "",
    replayable: true,
    client: null,
  };
}
