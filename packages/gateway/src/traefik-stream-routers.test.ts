import assert from "node:assert/strict";
import { test } from "node:test";
import { viewOf } from "./testing/view-of.ts";
import { traefikSniPriority, traefikSniRule } from "./traefik-rule.ts";

/** The end of all names where no rule is hashed, as Traefik has them. */
const noRule = "e3b0c44298fc1c149afb@kubernetesgateway";

test("a TCPRoute is a router for TCP with Traefik's name, and its servers are addresses", () => {
  const { tcp, http, udp } = viewOf("tcp-route").view;
  const [router] = tcp.routers;
  assert.equal(tcp.routers.length, 1);
  assert.match(router?.name ?? "", /^tcproute-demo-[\w-]*-gw-traefik-traefik-gateway-ep-[\w-]+-0-/);
  assert.ok(router?.name.endsWith(noRule), router?.name);
  assert.deepEqual(
    [router?.rule, router?.priority, router?.priorityStr, router?.status, router?.service],
    ["HostSNI(`*`)", -1, "-1", "enabled", "demo-whoami-80-tcp@kubernetesgateway"],
  );
  assert.equal(router?.tls, undefined);
  assert.equal(router?.gatehouse?.kind, "TCPRoute");
  const [service] = tcp.services;
  assert.deepEqual(service?.loadBalancer, { servers: [{ address: "127.30.1.10:8080" }] });
  assert.deepEqual(service?.serverStatus, { "127.30.1.10:8080": "UP" });
  assert.deepEqual(service?.usedBy, [router?.name]);
  assert.deepEqual([http.routers, http.services, udp.routers], [[], [], []]);
});

test("a UDPRoute is a router for UDP without a rule; a backend that cannot be used is a service without servers", () => {
  const { udp, tcp } = viewOf("udp-weights").view;
  const [router] = udp.routers;
  assert.equal(udp.routers.length, 1);
  assert.equal(Object.hasOwn(router ?? {}, "rule"), false);
  assert.equal(router?.status, "warning");
  assert.match(router?.error?.[0] ?? "", /"missing" not found/);
  const own = (suffix: string): string => (router?.name ?? "").replace("@", `-${suffix}@`);
  assert.equal(router?.service, own("wrr"));
  const byName = new Map(udp.services.map((service) => [service.name, service]));
  assert.deepEqual(byName.get(own("wrr"))?.weighted?.services, [
    { name: "demo-whoami-53-udp@kubernetesgateway", weight: 3 },
    { name: own("err-lb"), weight: 1 },
  ]);
  const refused = byName.get(own("err-lb"));
  assert.deepEqual(
    [refused?.status, refused?.loadBalancer, refused?.usedBy],
    ["warning", { servers: [] }, [router?.name]],
  );
  assert.match(refused?.error?.[0] ?? "", /"missing" not found/);
  const sent = byName.get("demo-whoami-53-udp@kubernetesgateway");
  assert.deepEqual(sent?.loadBalancer, { servers: [{ address: "127.30.1.10:5353" }] });
  // Traefik does not know how servers for UDP are.
  assert.equal(sent?.serverStatus, undefined);
  assert.deepEqual(tcp.routers, []);
});

test("a TLSRoute asks for names, and says whether TLS ends here", () => {
  const { tcp } = viewOf("tls-passthrough").view;
  const [router] = tcp.routers;
  assert.deepEqual(
    [router?.rule, router?.tls, router?.priority],
    [
      "HostSNI(`a.example.com`) || HostSNIRegexp(`^[a-z0-9-\\.]+\\.b\\.example\\.com$`)",
      { passthrough: true },
      ".b.example.com".length,
    ],
  );
  assert.deepEqual(viewOf("tls-terminate").view.tcp.routers[0]?.tls, { passthrough: false });
});

test("a route whose TLS ends at one listener and passes another of the port has a router for each", () => {
  const { tcp } = viewOf("tls-terminate-to-backend-tls").view;
  const routers = tcp.routers.map(({ rule, tls, service }) => ({ rule, tls, service }));
  assert.deepEqual(
    routers.toSorted((a, b) => (a.rule < b.rule ? -1 : 1)),
    [
      {
        rule: "HostSNI(`pass.example.com`)",
        tls: { passthrough: true },
        service: "demo-whoami-80-tcp@kubernetesgateway",
      },
      {
        rule: "HostSNI(`term.example.com`)",
        tls: { passthrough: false },
        service: "demo-whoami-80-tls@kubernetesgateway",
      },
    ],
  );
  assert.equal(tcp.routers.filter(({ name }) => name.endsWith(noRule)).length, 1);
  const servers = new Map(tcp.services.map(({ name, loadBalancer }) => [name, loadBalancer?.servers]));
  assert.deepEqual(servers.get("demo-whoami-80-tls@kubernetesgateway"), [{ address: "127.30.1.10:8080", tls: true }]);
  assert.deepEqual(servers.get("demo-whoami-80-tcp@kubernetesgateway"), [{ address: "127.30.1.10:8080" }]);
});

for (const [fixture, loser, winner] of [
  ["tcp-oldest-route", "a-younger", "tcproute/demo/z-older"],
  ["tls-same-hostname", "younger", "tlsroute/demo/older"],
] as const) {
  test(`${fixture}: the route that gets nothing says which one does, and that one says nothing`, () => {
    const { routers } = viewOf(fixture).view.tcp;
    const errors = Object.fromEntries(routers.map(({ gatehouse, error }) => [gatehouse?.name, error]));
    assert.match(errors[loser]?.[0] ?? "", new RegExp(`goes to ${winner}, which goes first`));
    assert.equal(errors[winner.slice(winner.lastIndexOf("/") + 1)], undefined);
  });
}

test("a TLSRoute that no listener took is a disabled router for TCP, and none for HTTP", () => {
  const { tcp, http } = viewOf("tls-no-matching-hostname").view;
  assert.deepEqual(http.routers, []);
  const [router] = tcp.routers;
  assert.deepEqual(
    [router?.status, router?.entryPoints, router?.service, router?.tls],
    ["disabled", [], "", undefined],
  );
  assert.match(router?.rule ?? "", /^HostSNI\(/);
  assert.equal(router?.gatehouse?.parents[0]?.conditions[0]?.reason, "NoMatchingListenerHostname");
});

test("a rule for every host is the lowest in priority, longer names go first", () => {
  assert.equal(traefikSniRule([]), "HostSNI(`*`)");
  assert.equal(traefikSniRule(["a.io", "*"]), "HostSNI(`*`)");
  const ranked = [["long.name.io"], ["*.name.io"], ["a.io"], ["*.io"], ["*"]].map(traefikSniPriority);
  assert.deepEqual(
    ranked,
    ranked.toSorted((a, b) => b - a),
  );
  assert.equal(new Set(ranked).size, 5);
});
