// One route in the translator: its translation, where it is attached, and what it is served as.

import { isDeepStrictEqual } from "node:util";
import type { Route } from "@gatehouse/proxy/routing-table";
import { attachRoute, type AttachedRoute } from "./attach.ts";
import type { Backend } from "./backends.ts";
import type { CertificatePair } from "./certificates.ts";
import { servedWith, type ServedRoute } from "./client-certificates.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import type { Attachment, ListenerNode } from "./listener-node.ts";
import { recording } from "./lookups.ts";
import { type Parents, parentsOfRoute } from "./parents.ts";
import type { RouteKind, RouteObject } from "./route-kinds.ts";
import type { Placed } from "./route-order.ts";
import { type TranslatedRoute, translateRoute } from "./translated-route.ts";

export class RouteNode implements Placed {
  /** E.g. `httproute/demo/whoami-path`, as the ids of its routes begin. */
  readonly id: string;
  readonly kind: RouteKind;
  /** The latest, whatever has changed of it. */
  object: RouteObject;
  base = 0;
  /** Undefined while the route names no parent of ours. */
  attached: AttachedRoute | undefined;
  /** The same without what was lost to other routes. */
  effective: AttachedRoute | undefined;
  /** Listeners that took it, and how. */
  attachments: readonly (readonly [ListenerNode<RouteNode>, Attachment])[] = [];
  /** Services of the table that are there for it, each once. */
  backends: readonly Backend[] = [];
  #stale = true;
  #translated: TranslatedRoute | undefined;
  /** Keys of what it looked up. */
  #ofTranslation: readonly string[] = [];
  #ordered: { of: TranslatedRoute; base: number; route: ServedRoute } | undefined;
  /** Few Gateways have a certificate for backends. */
  #variants: WeakMap<CertificatePair, ServedRoute> | undefined;

  constructor(id: string, kind: RouteKind, object: RouteObject) {
    this.id = id;
    this.kind = kind;
    this.object = object;
  }

  /** Nothing but its status has changed. The translation refers to it anew, so that the one before is nowhere kept. */
  take(object: RouteObject): void {
    this.object = object;
    if (this.#translated) this.#translated.route = object;
  }

  /** The translation is out of date. */
  invalidate(): void {
    this.#stale = true;
  }

  /** Brings translation and attachment up to date; returns the keys of what these looked up. Parts that come out as they were
   * stay the same objects. */
  update(parents: Parents, index: ObjectIndex): ReadonlySet<string> {
    const own = parentsOfRoute(this.object, parents);
    if (own.length === 0) {
      this.#translated = undefined;
      this.#stale = true;
      this.attached = undefined;
      return new Set();
    }
    if (this.#stale || !this.#translated) {
      const keys = new Set<string>();
      const fresh = translateRoute(this.kind, this.object, recording(index, keys));
      this.#translated = keepEqual(fresh, this.#translated);
      this.#ofTranslation = [...keys];
      this.#stale = false;
    }
    const keys = new Set(this.#ofTranslation);
    this.attached = attachRoute(this.#translated, own, recording(index, keys));
    return keys;
  }

  /** The route as a Gateway with this certificate for backends serves it. */
  servedWith(certificate: CertificatePair | undefined, owner: { namespace: string; name: string }): ServedRoute {
    const ordered = this.#inOrder();
    if (!certificate) return ordered;
    const known = this.#variants?.get(certificate);
    if (known) return known;
    const variant = servedWith(ordered, certificate, owner);
    (this.#variants ??= new WeakMap()).set(certificate, variant);
    return variant;
  }

  #inOrder(): ServedRoute {
    const of = this.#translated;
    if (!of) throw new Error(`${this.id} is not attached`);
    const known = this.#ordered;
    if (known && known.base === this.base && isSameTraffic(known.of, of)) return known.route;
    const { kind, stream, terminated, backends } = of;
    const routes = of.routes.map((route): Route => ({ ...route, order: this.base + route.order }));
    const parts = { ...(stream ? { stream } : {}), ...(terminated ? { terminated } : {}) };
    const route = { kind, routes, backends, ...parts };
    this.#ordered = { of, base: this.base, route };
    this.#variants = undefined;
    return route;
  }
}

/** Objects are compared by identity from here on: parts that are equal to what was there before are left in their place. */
function keepEqual(fresh: TranslatedRoute, before: TranslatedRoute | undefined): TranslatedRoute {
  if (!before) return fresh;
  const keep = <T>(now: T, then: T): T => (isDeepStrictEqual(now, then) ? then : now);
  const stream = keep(fresh.stream, before.stream);
  const terminated = keep(fresh.terminated, before.terminated);
  return {
    ...fresh,
    routes: keep(fresh.routes, before.routes),
    backends: keep(fresh.backends, before.backends),
    ...(stream ? { stream } : {}),
    ...(terminated ? { terminated } : {}),
  };
}

function isSameTraffic(a: TranslatedRoute, b: TranslatedRoute): boolean {
  return a.routes === b.routes && a.backends === b.backends && a.stream === b.stream && a.terminated === b.terminated;
}
