// Routes of one virtual host by path: exact paths by hash, prefixes in a tree of segments, expressions in a list.
// Within a place, routes stand in order of precedence, so that the first that fits is the answer.

import type { Route } from "../routing-table.ts";
import { barePrefix, conditionsMatch } from "./route-conditions.ts";
import type { MatchRequest, RouteEntry } from "./route-conditions.ts";

interface Node<T> {
  children: Map<string, Node<T>> | null;
  routes: RouteEntry<T>[];
}

/** Precedence between routes with an equally specific path: method, headers, query parameters, then `order`
 * (Gateway API, HTTPRouteRule.matches). Negative when `a` goes first. */
export function comparePrecedence(a: Route, b: Route): number {
  return (
    Number(b.match.method !== undefined) - Number(a.match.method !== undefined) ||
    b.match.headers.length - a.match.headers.length ||
    b.match.query.length - a.match.query.length ||
    a.order - b.order
  );
}

export class PathIndex<T> {
  readonly #exact = new Map<string, RouteEntry<T>[]>();
  readonly #root: Node<T> = { children: null, routes: [] };
  readonly #patterns: RouteEntry<T>[] = [];
  readonly entries: readonly RouteEntry<T>[];

  constructor(entries: RouteEntry<T>[]) {
    this.entries = entries.toSorted((a, b) => comparePrecedence(a.route, b.route));
    for (const entry of this.entries) this.#place(entry).push(entry);
  }

  #place(entry: RouteEntry<T>): RouteEntry<T>[] {
    const { type, value } = entry.route.match.path;
    if (type === "regex") return this.#patterns;
    if (type === "prefix") return this.#node(barePrefix(value)).routes;
    let routes = this.#exact.get(value);
    if (routes === undefined) this.#exact.set(value, (routes = []));
    return routes;
  }

  #node(prefix: string): Node<T> {
    let node = this.#root;
    for (const segment of prefix.split("/").slice(1)) {
      node.children ??= new Map();
      let child = node.children.get(segment);
      if (child === undefined) node.children.set(segment, (child = { children: null, routes: [] }));
      node = child;
    }
    return node;
  }

  /** The route that takes the request: exact path, then longest prefix, then expressions. */
  find(request: MatchRequest): RouteEntry<T> | undefined {
    const exact = this.#exact.get(request.path);
    if (exact !== undefined) {
      const found = firstFitting(exact, request);
      if (found !== undefined) return found;
    }
    const found = this.#findPrefix(this.#root, request, 1);
    if (found !== undefined || this.#patterns.length === 0) return found;
    for (const entry of this.#patterns) {
      if (entry.pathPattern?.test(request.path) && conditionsMatch(entry, request)) return entry;
    }
    return undefined;
  }

  /** Deepest node first: `start` is where the next segment of the path begins. */
  #findPrefix(node: Node<T>, request: MatchRequest, start: number): RouteEntry<T> | undefined {
    const path = request.path;
    if (node.children !== null && start <= path.length) {
      const slash = path.indexOf("/", start);
      const end = slash < 0 ? path.length : slash;
      const child = node.children.get(path.slice(start, end));
      const found = child && this.#findPrefix(child, request, end + 1);
      if (found !== undefined) return found;
    }
    return firstFitting(node.routes, request);
  }
}

function firstFitting<T>(routes: RouteEntry<T>[], request: MatchRequest): RouteEntry<T> | undefined {
  for (const entry of routes) if (conditionsMatch(entry, request)) return entry;
  return undefined;
}
