import assert from "node:assert/strict";
import { test } from "node:test";
import { parseStaticConfiguration } from "./parse-static-configuration.ts";

const provider = "--providers.kubernetesgateway";

/** What chart v39 passes for the demo's values. */
const chart = [
  "--global.checkNewVersion=false",
  "--entryPoints.metrics.address=:9100/tcp",
  "--entryPoints.traefik.address=:9000/tcp",
  "--entryPoints.web.address=:8000/tcp",
  "--entryPoints.websecure.address=:8443/tcp",
  "--api.dashboard=true",
  "--ping=true",
  "--metrics.prometheus=true",
  "--metrics.prometheus.entrypoint=metrics",
  "--providers.kubernetesgateway",
  "--providers.kubernetesgateway.statusaddress.service.name=traefik",
  "--providers.kubernetesgateway.statusaddress.service.namespace=traefik",
  "--entryPoints.websecure.http.tls=true",
  "--log.level=INFO",
  "--accesslog=true",
  "--accesslog.fields.defaultmode=keep",
  "--accesslog.fields.headers.defaultmode=drop",
  "--api.insecure=true",
];

test("the flags of the chart are understood without a warning", () => {
  const { configuration, warnings } = parseStaticConfiguration(chart);
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    configuration.entryPoints.map(({ name, port }) => [name, port]),
    [
      ["metrics", 9100],
      ["traefik", 9000],
      ["web", 8000],
      ["websecure", 8443],
    ],
  );
  assert.equal(configuration.kubernetesGateway.enabled, true);
  assert.deepEqual(configuration.kubernetesGateway.statusAddress.service, { name: "traefik", namespace: "traefik" });
  assert.deepEqual(configuration.api, { dashboard: true, insecure: true });
  assert.equal(configuration.ping, "traefik");
  assert.equal(configuration.prometheus, "metrics");
  assert.equal(configuration.accessLog?.format, "common");
});

test("names are compared without case, and values may follow as an argument of their own", () => {
  const { configuration, warnings } = parseStaticConfiguration([
    provider,
    "--ENTRYPOINTS.Web.Address",
    "127.0.0.1:8000",
    "--accessLog",
    "--ACCESSLOG.FORMAT=JSON",
  ]);
  assert.deepEqual(warnings, []);
  assert.deepEqual(configuration.entryPoints, [{ name: "Web", host: "127.0.0.1", port: 8000, trustedIPs: [] }]);
  assert.equal(configuration.accessLog?.format, "json");
});

test("one entrypoint's flags meet whatever their order and case", () => {
  const { configuration } = parseStaticConfiguration([
    "--entrypoints.WEB.forwardedheaders.trustedips=10.0.0.0/8, 192.168.1.1",
    "--entryPoints.web.address=:8000",
  ]);
  assert.deepEqual(configuration.entryPoints, [
    { name: "WEB", host: "", port: 8000, trustedIPs: ["10.0.0.0/8", "192.168.1.1"] },
  ]);
});

test("an entrypoint is for connections unless its address says UDP", () => {
  const { configuration, warnings } = parseStaticConfiguration([
    provider,
    "--entryPoints.dns.address=:53/UDP",
    "--entryPoints.web.address=:8000/tcp",
  ]);
  assert.deepEqual(
    configuration.entryPoints.map(({ name, udp }) => [name, udp]),
    [
      ["dns", true],
      ["web", undefined],
    ],
  );
  assert.deepEqual(warnings, []);
});

const warned: [name: string, argv: string[], warning: RegExp][] = [
  ["a provider that is not named", ["--ping"], /--providers.kubernetesgateway is not set/],
  ["unknown flags, in one line", ["--nosuch=1", "--other"], /^unknown flags: --nosuch, --other$/],
  [
    "flags without effect",
    ["--providers.kubernetescrd", "--entryPoints.web.http.redirections.entryPoint.to=:443"],
    /^flags of Traefik without effect here: --providers.kubernetescrd, --entryPoints.web.http.redirections.entryPoint.to$/,
  ],
  ["addresses that are none", ["--entryPoints.web.address=8000"], /"8000" is not an address such as :8000\/tcp/],
  ["access log formats that do not exist", ["--accesslog.format=xml"], /"xml" is not one of common, genericCLF, json/],
  ["status ranges that are none", ["--accesslog.filters.statuscodes=4xx"], /"4xx" is not a status or range/],
  ["durations that are none", ["--entryPoints.web.transport.lifeCycle.graceTimeOut=soon"], /"soon" is not a duration/],
  ["logging of headers", ["--accesslog.fields.headers.defaultmode=keep"], /request headers are not logged/],
];
for (const [name, argv, warning] of warned) {
  test(`warns of ${name}`, () => {
    const { warnings } = parseStaticConfiguration(argv);
    assert.ok(
      warnings.some((each) => warning.test(each)),
      warnings.join("\n"),
    );
  });
}

test("a flag without effect that is switched off is no warning", () => {
  assert.deepEqual(
    parseStaticConfiguration([provider, "--providers.kubernetesingress=false", "--api.debug=false"]).warnings,
    [],
  );
});

test("entrypoints that nobody configures are Traefik's defaults", () => {
  const { configuration } = parseStaticConfiguration(["--ping"]);
  assert.deepEqual(
    configuration.entryPoints.map(({ name, port }) => [name, port]),
    [
      ["http", 80],
      ["traefik", 8080],
    ],
  );
});

test("shutdown times come from the entrypoints' life cycle", () => {
  const { configuration } = parseStaticConfiguration([
    "--entryPoints.web.address=:8000",
    "--entryPoints.web.transport.lifeCycle.requestAcceptGraceTimeout=2",
    "--entryPoints.web.transport.lifeCycle.graceTimeOut=1m30s",
  ]);
  assert.deepEqual(configuration.shutdown, { acceptMs: 2_000, graceMs: 90_000 });
});
