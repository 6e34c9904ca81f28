// Routes of one virtual host by path: exact paths by hash, prefixes in a tree of segments, expressions in a list.
// Within a place, routes stand in order of precedence, so that the first that fits is the answer.

import type { Route } from "../routing-table.ts";
import { difference } from "./difference.ts";
import { barePrefix, compileEntry, conditionsMatch } from "./route-conditions.ts";
import type { MatchRequest, RouteEntry } from "./route-conditions.ts";

/** What routes lead to, made when they come in and given back when they go. */
export interface RouteTargets<T> {
  acquire(route: Route): T;
  release(route: Route): void;
}

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
  readonly #byRoute = new Map<Route, RouteEntry<T>>();
  #routes: readonly Route[] = [];

  /** In order of precedence among equal paths. */
  get entries(): RouteEntry<T>[] {
    return [...this.#byRoute.values()].sort((a, b) => comparePrecedence(a.route, b.route));
  }

  has(entry: RouteEntry<unknown>): boolean {
    return this.#byRoute.get(entry.route) === entry;
  }

  /** Takes over `routes` in the place of those before; the ones that are the same objects stay as they are. */
  update(routes: readonly Route[], targets: RouteTargets<T>): void {
    const { removed, added } = difference(this.#routes, routes);
    this.#routes = routes;
    for (const route of added) this.#add(route, targets);
    for (const route of removed) this.#remove(route, targets);
  }

  #add(route: Route, targets: RouteTargets<T>): void {
    if (this.#byRoute.has(route)) return;
    const entry = compileEntry(route, targets.acquire(route));
    this.#byRoute.set(route, entry);
    const { type, value } = route.match.path;
    if (type === "regex") return insert(this.#patterns, entry);
    if (type === "prefix") return insert(this.#node(barePrefix(value)).routes, entry);
    let routes = this.#exact.get(value);
    if (routes === undefined) this.#exact.set(value, (routes = []));
    insert(routes, entry);
  }

  #remove(route: Route, targets: RouteTargets<T>): void {
    const entry = this.#byRoute.get(route);
    if (entry === undefined) return;
    this.#byRoute.delete(route);
    targets.release(route);
    const { type, value } = route.match.path;
    if (type === "regex") take(this.#patterns, entry);
    else if (type === "prefix") prune(this.#root, barePrefix(value).split("/").slice(1), entry);
    else if (take(this.#exact.get(value)!, entry) === 0) this.#exact.delete(value);
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

  /** The route that takes the request: exact path, then longest prefix, then expressions, then the prefix of every path. */
  find(request: MatchRequest): RouteEntry<T> | undefined {
    const exact = this.#exact.get(request.path);
    if (exact !== undefined) {
      const found = firstFitting(exact, request);
      if (found !== undefined) return found;
    }
    const found = this.#findPrefix(this.#root, request, 1);
    if (this.#patterns.length === 0 || (found !== undefined && !takesEveryPath(found))) return found;
    for (const entry of this.#patterns) {
      if (entry.pathPattern?.test(request.path) && conditionsMatch(entry, request)) return entry;
    }
    return found;
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

/** Behind those that go first and those that are equal. */
function insert<T>(routes: RouteEntry<T>[], entry: RouteEntry<T>): void {
  let at = routes.length;
  while (at > 0 && comparePrecedence(entry.route, routes[at - 1]!.route) < 0) at--;
  routes.splice(at, 0, entry);
}

/** Returns how many are left. */
function take<T>(routes: RouteEntry<T>[], entry: RouteEntry<T>): number {
  const at = routes.indexOf(entry);
  if (at >= 0) routes.splice(at, 1);
  return routes.length;
}

/** Takes `entry` out from below `node`, and nodes that are empty then. */
function prune<T>(node: Node<T>, segments: string[], entry: RouteEntry<T>): void {
  const [segment, ...rest] = segments;
  if (segment === undefined) return void take(node.routes, entry);
  const child = node.children?.get(segment);
  if (child === undefined) return;
  prune(child, rest, entry);
  if (child.routes.length > 0 || (child.children?.size ?? 0) > 0) return;
  node.children!.delete(segment);
}

function firstFitting<T>(routes: RouteEntry<T>[], request: MatchRequest): RouteEntry<T> | undefined {
  for (const entry of routes) if (conditionsMatch(entry, request)) return entry;
  return undefined;
}

const takesEveryPath = ({ route }: RouteEntry<unknown>): boolean => barePrefix(route.match.path.value) === "";
