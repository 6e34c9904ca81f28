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

/** Thousands of hosts have one of these each, mostly for a single route: a list, or a map, is there once it is needed. */
export class PathIndex<T> {
  #exact: Map<string, RouteEntry<T>[]> | null = null;
  readonly #root: Node<T> = { children: null, routes: NONE };
  #patterns: RouteEntry<T>[] = NONE;
  #routes: readonly Route[] = [];

  /** In order of precedence among equal paths. */
  get entries(): RouteEntry<T>[] {
    const exact = this.#exact === null ? [] : [...this.#exact.values()].flat();
    return [...exact, ...entriesBelow(this.#root), ...this.#patterns].sort((a, b) =>
      comparePrecedence(a.route, b.route),
    );
  }

  has(entry: RouteEntry<unknown>): boolean {
    return this.#routesAt(entry.route).some((each) => each === entry);
  }

  /** Takes over `routes` in the place of those before; the ones that are the same objects stay as they are. */
  update(routes: readonly Route[], targets: RouteTargets<T>): void {
    const { removed, added } = difference(this.#routes, routes);
    this.#routes = routes;
    for (const route of added) this.#add(route, targets);
    for (const route of removed) this.#remove(route, targets);
  }

  #add(route: Route, targets: RouteTargets<T>): void {
    if (this.#routesAt(route).some((each) => each.route === route)) return;
    const entry = compileEntry(route, targets.acquire(route));
    const { type, value } = route.match.path;
    if (type === "regex") this.#patterns = withEntry(this.#patterns, entry);
    else if (type === "prefix") {
      const node = this.#node(barePrefix(value));
      node.routes = withEntry(node.routes, entry);
    } else (this.#exact ??= new Map()).set(value, withEntry(this.#exact.get(value) ?? NONE, entry));
  }

  #remove(route: Route, targets: RouteTargets<T>): void {
    const routes = this.#routesAt(route);
    const at = routes.findIndex((each) => each.route === route);
    if (at < 0) return;
    routes.splice(at, 1);
    targets.release(route);
    const { type, value } = route.match.path;
    if (type === "prefix") prune(this.#root, barePrefix(value).split("/").slice(1));
    else if (type === "exact" && routes.length === 0) this.#exact!.delete(value);
  }

  /** All that have the path of `route`. */
  #routesAt({ match: { path } }: Route): RouteEntry<T>[] {
    if (path.type === "regex") return this.#patterns;
    if (path.type === "exact") return this.#exact?.get(path.value) ?? NONE;
    let node: Node<T> | undefined = this.#root;
    for (const segment of barePrefix(path.value).split("/").slice(1)) node = node?.children?.get(segment);
    return node?.routes ?? NONE;
  }

  #node(prefix: string): Node<T> {
    let node = this.#root;
    for (const segment of prefix.split("/").slice(1)) {
      node.children ??= new Map();
      let child = node.children.get(segment);
      if (child === undefined) node.children.set(segment, (child = { children: null, routes: NONE }));
      node = child;
    }
    return node;
  }

  /** The route that takes the request: exact path, then longest prefix, then expressions, then the prefix of every path. */
  find(request: MatchRequest): RouteEntry<T> | undefined {
    const exact = this.#exact === null ? undefined : this.#exact.get(request.path);
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

/** Of whatever has none yet; never changed. */
const NONE: never[] = [];

/** With `entry` behind those that go first and those that are equal. The first gets a list of just its size. */
function withEntry<T>(routes: RouteEntry<T>[], entry: RouteEntry<T>): RouteEntry<T>[] {
  if (routes.length === 0) return [entry];
  let at = routes.length;
  while (at > 0 && comparePrecedence(entry.route, routes[at - 1]!.route) < 0) at--;
  routes.splice(at, 0, entry);
  return routes;
}

function entriesBelow<T>({ children, routes }: Node<T>): RouteEntry<T>[] {
  return [...routes, ...[...(children?.values() ?? [])].flatMap(entriesBelow)];
}

/** Takes nodes that are empty out from below `node`, on the way along `segments`. */
function prune<T>(node: Node<T>, [segment, ...rest]: string[]): void {
  const child = segment === undefined ? undefined : node.children?.get(segment);
  if (segment === undefined || child === undefined) return;
  prune(child, rest);
  if (child.routes.length > 0 || (child.children?.size ?? 0) > 0) return;
  node.children!.delete(segment);
}

function firstFitting<T>(routes: RouteEntry<T>[], request: MatchRequest): RouteEntry<T> | undefined {
  for (const entry of routes) if (conditionsMatch(entry, request)) return entry;
  return undefined;
}

const takesEveryPath = ({ route }: RouteEntry<unknown>): boolean => barePrefix(route.match.path.value) === "";
