// A change leaves alone what has nothing to do with it: the very objects stay in the table, and no status is told again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type KubeObject, objectKey } from "@gatehouse/apimachinery/meta";
import type { Route, RoutingTable, VirtualHost } from "@gatehouse/proxy/routing-table";
import {
  endpoints,
  gateway,
  httpRoute,
  manyRoutes,
  manyRoutesOptions,
  namespaceOf,
  service,
} from "../testing/many-routes.ts";
import type { ObjectKind } from "./object-store.ts";
import type { Translation } from "./translator.ts";

const [count, namespaces] = [30, 10];

function start() {
  const translator = manyRoutes(count, namespaces);
  let before = translator.translate(manyRoutesOptions);
  /** Tells one change and returns what has become of the table and of whom there is news. */
  const change = (kind: ObjectKind, old: KubeObject | undefined, current: KubeObject | undefined) => {
    translator.change(kind, { ...(old ? { old } : {}), ...(current ? { current } : {}) });
    const after = translator.translate(manyRoutesOptions);
    const news = {
      before: before.table,
      after: after.table,
      ...difference(before.table, after.table),
      told: toldOf(after),
    };
    before = after;
    return news;
  };
  return { translator, change, first: before };
}

const toldOf = ({ statuses }: Translation): string[] =>
  statuses.map(({ object }) => `${object.kind} ${objectKey(object)}`).sort();

const hostsOf = ({ listeners }: RoutingTable): VirtualHost[] =>
  listeners.flatMap(({ servers }) => servers.flatMap(({ virtualHosts }) => virtualHosts));
const routesOf = (table: RoutingTable): Route[] => hostsOf(table).flatMap(({ routes }) => routes);

/** Names of what is in `after` and was not, as that object, in `before`. */
function difference(before: RoutingTable, after: RoutingTable) {
  const fresh = <T>(old: readonly T[], now: readonly T[]): T[] =>
    [...new Set(now)].filter((each) => !old.includes(each));
  return {
    listeners: fresh(before.listeners, after.listeners).map(({ name }) => name),
    hosts: fresh(hostsOf(before), hostsOf(after)).map(({ hostname }) => hostname),
    routes: fresh(routesOf(before), routesOf(after)).map(({ id }) => id),
    services: fresh(before.services, after.services).map(({ id }) => id),
  };
}

const at = (number: number) => ({ namespace: namespaceOf(number, namespaces), hostname: `host-${number}.test` });
const nothing = { listeners: [], hosts: [], routes: [], services: [] };
const own = "gateway/gateways/first/8000";

const partsOf = ({ listeners, hosts, routes, services }: ReturnType<ReturnType<typeof start>["change"]>) => ({
  listeners,
  hosts,
  routes,
  services,
});

test("everything is told at first", () => {
  const { first } = start();
  assert.equal(first.table.services.length, count);
  // The class, two Gateways and the routes.
  assert.equal(first.statuses.length, 3 + count);
});

test("a route that changes is made anew with its virtual host, at each listener that serves it", () => {
  const { change } = start();
  const old = httpRoute("route-7", at(7));
  const news = change("httpRoutes", old, {
    ...httpRoute("route-7", { ...at(7), path: "/new" }),
    metadata: { ...old.metadata, generation: 2 },
  });
  const host = { hosts: ["host-7.test"], routes: ["httproute/namespace-7/route-7/rule/0/match/0"] };
  assert.deepEqual(partsOf(news), { listeners: ["web", own], ...host, services: [] });
  assert.equal(news.after.services, news.before.services);
  assert.deepEqual(news.told, ["HTTPRoute namespace-7/route-7"]);
});

test("a route that changes its backend takes a service out and puts one in", () => {
  const { change } = start();
  const old = httpRoute("route-7", at(7));
  const changed = httpRoute("route-7", { ...at(7), service: "route-17" });
  const news = change("httpRoutes", old, { ...changed, metadata: { ...changed.metadata, generation: 2 } });
  assert.deepEqual(news.services, []);
  assert.equal(news.after.services.length, count - 1);
  assert.equal(
    news.after.services.some(({ id }) => id === "namespace-7/route-7:80"),
    false,
  );
});

test("endpoints change their service and nothing else", () => {
  const { change } = start();
  const { namespace } = at(3);
  const news = change(
    "endpointSlices",
    endpoints("route-3", namespace, "127.30.1.10"),
    endpoints("route-3", namespace, "127.30.1.11"),
  );
  assert.deepEqual(partsOf(news), { ...nothing, services: ["namespace-3/route-3:80"] });
  assert.equal(news.after.listeners, news.before.listeners);
  assert.deepEqual(news.told, []);
});

test("a change of status alone changes nothing, and is looked at once more", () => {
  const { change } = start();
  const old = httpRoute("route-7", at(7));
  const news = change("httpRoutes", old, { ...old, status: { parents: [] } });
  assert.equal(news.after, news.before);
  assert.deepEqual(news.told, ["HTTPRoute namespace-7/route-7"]);
});

test("after a change of status alone the version before is not referred to any more", () => {
  const { translator, change } = start();
  const old = httpRoute("route-3", at(3));
  const current = { ...old, status: { parents: [] } };
  change("httpRoutes", old, current);
  const translation = translator.translate(manyRoutesOptions);
  assert.equal(translation.route(`httproute/${objectKey(old)}`)?.translated.route, current);
});

test("what nobody refers to changes nothing", () => {
  const { change } = start();
  for (const [kind, object] of [
    ["services", service("unused", "namespace-1")],
    ["endpointSlices", endpoints("unused", "namespace-1", "127.0.0.1")],
    ["secrets", { apiVersion: "v1", kind: "Secret", metadata: { name: "unused", namespace: "namespace-1" } }],
    ["namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "namespace-1" } }],
    ["httpRoutes", httpRoute("foreign", { namespace: "namespace-1", hostname: "x.test", gateway: "nobody's" })],
  ] as [ObjectKind, KubeObject][]) {
    const news = change(kind, undefined, object);
    assert.equal(news.after, news.before, kind);
    assert.deepEqual(news.told, [], kind);
  }
});

test("a Service that goes and comes concerns those who refer to it, and no other", () => {
  const { change } = start();
  const object = service("route-7", "namespace-7");
  for (const news of [change("services", object, undefined), change("services", undefined, object)]) {
    assert.deepEqual(news.hosts, ["host-7.test"]);
    assert.deepEqual(news.told, ["HTTPRoute namespace-7/route-7"]);
  }
});

test("a route more is one virtual host more, and its Gateway counts it", () => {
  const { change } = start();
  const news = change("httpRoutes", undefined, httpRoute("late", { ...at(7), hostname: "late.test", second: 9 }));
  assert.deepEqual(news.hosts, ["late.test"]);
  assert.deepEqual(news.routes.length, 1);
  assert.deepEqual(news.told, ["Gateway gateways/first", "HTTPRoute namespace-7/late"]);
});

test("a route that belongs between two others by age does not renumber them", () => {
  const { change } = start();
  // Of one age, routes go by name: this one comes between route-10 and route-11.
  const news = change("httpRoutes", undefined, httpRoute("route-10a", { ...at(0), hostname: "between.test" }));
  assert.deepEqual(news.routes.length, 1);
  const orders = new Map(routesOf(news.after).map(({ id, order }) => [id, order]));
  const order = (name: string): number => orders.get(`httproute/${name}/rule/0/match/0`) ?? NaN;
  assert.ok(order("namespace-0/route-10") < order("namespace-0/route-10a"));
  assert.ok(order("namespace-0/route-10a") < order("namespace-0/route-20"));
});

test("routes that differ in host share a port, but not their fate: one that goes takes only its own along", () => {
  const { change } = start();
  const news = change("httpRoutes", httpRoute("route-7", at(7)), undefined);
  assert.deepEqual(partsOf(news), { ...nothing, listeners: ["web", own] });
  assert.equal(hostsOf(news.after).length, 2 * (count - 1));
  assert.equal(news.after.services.length, count - 1);
  assert.deepEqual(news.told, ["Gateway gateways/first"]);
});

test("a listener more at one Gateway leaves the listeners and hosts of the other as they are", () => {
  const { change } = start();
  const old = gateway("second");
  const current = gateway("second", [8000, 9000]);
  const news = change("gateways", old, { ...current, metadata: { ...current.metadata, generation: 2 } });
  assert.deepEqual(partsOf(news), { ...nothing, listeners: ["gateway/gateways/second/9000"] });
  assert.deepEqual(news.told, ["Gateway gateways/second"]);
});

test("options that say the same change nothing", () => {
  const { translator, first } = start();
  const again = translator.translate({ ...manyRoutesOptions, sharedAddresses: [], listenerProblems: new Map() });
  assert.equal(again.table, first.table);
  assert.deepEqual(again.statuses, []);
});
