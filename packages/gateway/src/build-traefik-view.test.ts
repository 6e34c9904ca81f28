import assert from "node:assert/strict";
import { test } from "node:test";
import type { RouteMatch } from "@gatehouse/proxy/routing-table";
import { viewOf } from "./testing/view-of.ts";
import { traefikPriority, traefikRule } from "./traefik-rule.ts";
import { createRouterNames } from "./traefik-names.ts";

const match = (changes: Partial<RouteMatch>): RouteMatch => ({
  path: { type: "prefix", value: "/" },
  headers: [],
  query: [],
  ...changes,
});

const rules: [hostnames: string[], match: Partial<RouteMatch>, rule: string][] = [
  [["whoami.localhost"], {}, "Host(`whoami.localhost`) && PathPrefix(`/`)"],
  [["*"], {}, "PathPrefix(`/`)"],
  [["a.io", "*.b.io"], {}, "(Host(`a.io`) || HostRegexp(`^[a-z0-9-\\.]+\\.b\\.io$`)) && PathPrefix(`/`)"],
  [[], { path: { type: "prefix", value: "/v1/" } }, "(Path(`/v1`) || PathPrefix(`/v1/`))"],
  [[], { path: { type: "exact", value: "/a" }, method: "GET" }, "Path(`/a`) && Method(`GET`)"],
  [[], { path: { type: "regex", value: "/a`b" } }, 'PathRegexp("/a`b")'],
  [
    [],
    { headers: [{ name: "x", type: "exact", value: "1" }], query: [{ name: "q", type: "regex", value: "a.*" }] },
    "PathPrefix(`/`) && Header(`x`, `1`) && QueryRegexp(`q`, `a.*`)",
  ],
];
for (const [hostnames, changes, rule] of rules) {
  test(rule, () => assert.equal(traefikRule(hostnames, match(changes)), rule));
}

test("priorities rank as the Gateway API does: exact, longer prefix, method, headers, query", () => {
  const ranked = [
    match({ path: { type: "exact", value: "/a" } }),
    match({ path: { type: "prefix", value: "/long/path" } }),
    match({ path: { type: "prefix", value: "/a" } }),
    match({ method: "GET" }),
    match({ headers: [{ name: "x", type: "exact", value: "1" }] }),
    match({ query: [{ name: "q", type: "exact", value: "1" }] }),
    match({}),
  ].map((each) => traefikPriority(["a.io"], each));
  assert.deepEqual(
    ranked,
    [...ranked].sort((a, b) => b - a),
  );
  assert.equal(new Set(ranked).size, ranked.length);
});

test("the demo's routers have Traefik's names, rules and services", () => {
  const { translation, view } = viewOf("demo");
  const host = view.http.routers.find(({ rule }) => rule.includes("whoami.localhost"));
  assert.match(
    host?.name ?? "",
    /^httproute-demo-whoami-host-gw-traefik-traefik-gateway-ep-web-0-[0-9a-f]{20}@kubernetesgateway$/,
  );
  assert.deepEqual(
    [host?.status, host?.service, host?.entryPoints],
    ["enabled", "demo-whoami-v1-80@kubernetesgateway", ["web"]],
  );
  assert.deepEqual(
    [host?.gatehouse?.kind, host?.gatehouse?.namespace, host?.gatehouse?.name, host?.gatehouse?.rule],
    ["HTTPRoute", "demo", "whoami-host", 0],
  );
  const service = view.http.services.find(({ name }) => name === "demo-whoami-v1-80@kubernetesgateway");
  assert.deepEqual(service?.serverStatus, { "http://127.30.1.10:8080": "UP", "http://127.30.1.11:8080": "UP" });
  assert.equal(service?.usedBy.length, 2);

  const names = createRouterNames(translation);
  const id = "httproute/demo/whoami-host/rule/0/match/0";
  assert.equal(names("web", id), host?.name);
  assert.equal(names("gateway/traefik/traefik-gateway/8000", id), host?.name);
  assert.equal(names("web", "httproute/demo/none/rule/0/match/0"), "");
  assert.equal(names("elsewhere", id), "");
});

test("a route that nobody took is disabled, with the reason", () => {
  const { view } = viewOf("attach-from-same");
  assert.deepEqual(
    view.http.routers.map(({ status }) => status),
    ["disabled"],
  );
  assert.match(view.http.routers[0]?.error?.[0] ?? "", /takes routes of its own namespace/);
  assert.equal(view.http.routers[0]?.gatehouse?.parents[0]?.conditions[0]?.reason, "NotAllowedByListeners");
});

test("a missing backend warns, and its share is shown as status 500", () => {
  const { view } = viewOf("backend-missing-service");
  assert.equal(view.http.routers[0]?.status, "warning");
  const weighted = view.http.services.find(({ type }) => type === "weighted");
  assert.deepEqual(
    weighted?.weighted?.services.map(({ status }) => status),
    [500, undefined],
  );
});

test("servers that are not ready are DOWN, and a service without ready ones warns", () => {
  const { view } = viewOf("backend-terminating");
  const service = view.http.services.find(({ type }) => type === "loadbalancer");
  assert.deepEqual(service?.serverStatus, { "http://127.30.1.11:8080": "UP", "http://127.30.1.12:8080": "DOWN" });
  const empty = viewOf("backend-no-endpoints").view.http.services[0];
  assert.equal(empty?.status, "warning");
});

test("filters are middlewares of their router", () => {
  const { view } = viewOf("filter-headers");
  assert.deepEqual(
    view.http.middlewares.map(({ type }) => type),
    ["requestheadermodifier", "responseheadermodifier"],
  );
  assert.deepEqual(
    view.http.routers[0]?.middlewares,
    view.http.middlewares.map(({ name }) => name),
  );
});

test("servers are named with what they are spoken to: HTTP/2 in plain text, TLS, or a host outside the cluster", () => {
  const urls = (fixture: string) =>
    viewOf(fixture).view.http.services.flatMap(({ loadBalancer }) =>
      (loadBalancer?.servers ?? []).flatMap((server) => ("url" in server ? [server.url] : [])),
    );
  assert.deepEqual(urls("grpc-match-none"), ["h2c://127.30.1.10:8080"]);
  assert.deepEqual(urls("backend-client-certificate-granted"), ["https://127.30.1.10:8080"]);
  assert.deepEqual(urls("x-backend-tls"), ["https://api.example.com:443", "https://api.example.com:443"]);
});
