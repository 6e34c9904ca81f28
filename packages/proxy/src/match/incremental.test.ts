import assert from "node:assert/strict";
import { test } from "node:test";
import type { Route, VirtualHost, VirtualServer } from "../routing-table.ts";
import { matchOn } from "../testing/tables.ts";
import { difference } from "./difference.ts";
import { Matcher } from "./matcher.ts";
import type { RouteTargets } from "./path-index.ts";

/** Park and Miller: the same sequence for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48271) % 2147483647) % below;
}

const HOSTS = ["*", "*.test", "*.a.test", "a.test", "x.a.test", "b.test"];
const PATHS = ["/*", "/a*", "/a/b*", "/a/b/c*", "/a", "/a/b", "~^/a/.$", "~b"];
const ASKED_HOSTS = ["a.test", "x.a.test", "y.x.a.test", "b.test", "c.test", "other"];
const ASKED_PATHS = ["/", "/a", "/a/b", "/a/b/c", "/a/b/c/d", "/b", "/ab"];

function targets(held: Map<Route, number>): RouteTargets<string> {
  return {
    acquire: (route) => {
      held.set(route, (held.get(route) ?? 0) + 1);
      return route.id;
    },
    release: (route) => {
      const left = held.get(route)! - 1;
      if (left === 0) held.delete(route);
      else held.set(route, left);
    },
  };
}

function answers(matcher: Matcher<string>): (string | null)[] {
  return ASKED_HOSTS.flatMap((host) =>
    ASKED_PATHS.flatMap((path) =>
      ["GET", "PUT"].map((method) => {
        const request = { method, path, query: "", header: () => undefined };
        return matcher.find(host, request).entry?.target ?? null;
      }),
    ),
  );
}

test("a matcher brought up to date through many tables answers as one made of the last", () => {
  const below = random(20261201);
  let serial = 0;
  const newRoute = (): Route => ({
    id: `route-${serial++}`,
    match: matchOn(PATHS[below(PATHS.length)]!, below(3) === 0 ? { method: "PUT" } : {}),
    order: serial,
    filters: [],
    action: { type: "forward", backends: [] },
  });
  const change = ({ hostname, routes }: VirtualHost): VirtualHost => ({
    hostname,
    routes: [...routes.filter(() => below(4) > 0), ...Array.from({ length: below(3) }, newRoute)],
  });
  const held = new Map<Route, number>();
  const matcher: Matcher<string> = new Matcher();
  let servers: VirtualServer[] = [];
  for (let round = 0; round < 300; round++) {
    servers = ["*", "*.a.test", "b.test"]
      .filter(() => below(10) > 0)
      .map((hostname) => {
        const before = servers.find((server) => server.hostname === hostname);
        if (before !== undefined && below(3) === 0) return before;
        const hosts = HOSTS.filter(() => below(5) > 0).map((name) => {
          const known = before?.virtualHosts.find((host) => host.hostname === name);
          return known !== undefined && below(2) === 0 ? known : change(known ?? { hostname: name, routes: [] });
        });
        return { hostname, virtualHosts: below(2) === 0 ? hosts : hosts.toReversed() };
      });
    matcher.update(servers, targets(held));
    const fresh: Matcher<string> = new Matcher();
    fresh.update(servers, targets(new Map()));
    assert.deepEqual(answers(matcher), answers(fresh), `round ${round}`);
    const routes = servers.flatMap(({ virtualHosts }) => virtualHosts.flatMap((host) => host.routes));
    assert.deepEqual(new Set(held.keys()), new Set(routes), `round ${round}`);
  }
});

test("what is the same object is not compiled again", () => {
  const compiled: string[] = [];
  const noting: RouteTargets<string> = { acquire: ({ id }) => (compiled.push(id), id), release: () => {} };
  const route = (id: string): Route => ({
    id,
    match: matchOn(`/${id}*`),
    order: 0,
    filters: [],
    action: { type: "forward", backends: [] },
  });
  const [a, b] = [route("a"), route("b")];
  const host = { hostname: "a.test", routes: [a] };
  const matcher: Matcher<string> = new Matcher();
  matcher.update([{ hostname: "*", virtualHosts: [host, { hostname: "b.test", routes: [b] }] }], noting);
  assert.deepEqual(compiled.splice(0), ["a", "b"]);
  const c = route("c");
  matcher.update([{ hostname: "*", virtualHosts: [host, { hostname: "b.test", routes: [b, c] }] }], noting);
  assert.deepEqual(compiled, ["c"]);
});

test("differences of lists", () => {
  const [a, b, c, d] = [{}, {}, {}, {}];
  assert.deepEqual(difference([a, b, c], [a, b, c]), { removed: [], added: [] });
  assert.deepEqual(difference([a, b, c], [a, d, c]), { removed: [b], added: [d] });
  assert.deepEqual(difference([a, c], [a, b, c]), { removed: [], added: [b] });
  assert.deepEqual(difference([a, b], []), { removed: [a, b], added: [] });
  const moved = difference([a, b, c, d], [d, b, c]);
  assert.ok(moved.removed.length === 1 && moved.removed[0] === a && moved.added.length === 0);
});
