import assert from "node:assert/strict";
import { test } from "node:test";
import { traefikCommandLine, TraefikRefusal } from "./traefik-command-line.ts";

const environment = {
  GATEHOUSE_POD_IP: "127.30.1.4",
  GATEHOUSE_LISTEN: JSON.stringify({
    "8000/tcp": [
      { host: "127.30.1.4", port: 8000 },
      { host: "127.30.0.1", port: 80 },
      { host: "::1", port: 8080 },
    ],
    "443/tcp": [{ host: "127.30.1.4", port: 34567 }],
  }),
  GATEHOUSE_MOUNTS: JSON.stringify({ "/data": "/real/volume", "/var/run/secrets/x": "/real/api-access" }),
  GATEHOUSE_WRITABLE_MOUNTS: JSON.stringify(["/data"]),
};
const commandLine = (...args: string[]) => traefikCommandLine(args, environment);

test("entrypoints are opened on the pod's address, and the host's places are told apart", () => {
  const { args, entryPoints } = commandLine(
    "--entryPoints.web.address=:8000/tcp",
    "--ENTRYPOINTS.Traefik.Address=0.0.0.0:9000",
    "--entryPoints.dns.address=[::]:5353/UDP",
    "--api.insecure",
  );
  assert.deepEqual(args, [
    "--entryPoints.web.address=127.30.1.4:8000/tcp",
    "--entryPoints.Traefik.address=127.30.1.4:9000/tcp",
    "--entryPoints.dns.address=127.30.1.4:5353/udp",
    "--api.insecure=true",
  ]);
  assert.deepEqual(entryPoints[0], {
    name: "web",
    protocol: "tcp",
    pod: { host: "127.30.1.4", port: 8000 },
    others: [
      { host: "127.30.0.1", port: 80 },
      { host: "::1", port: 8080 },
    ],
  });
});

test("entrypoints that Traefik would open unasked on every address are named", () => {
  assert.deepEqual(commandLine("--ping").args, [
    "--entryPoints.traefik.address=127.30.1.4:8080/tcp",
    "--entryPoints.http.address=127.30.1.4:80/tcp",
    "--ping=true",
  ]);
  assert.deepEqual(commandLine("--entryPoints.web.address=:8000").args, [
    "--entryPoints.web.address=127.30.1.4:8000/tcp",
    "--entryPoints.traefik.address=127.30.1.4:8080/tcp",
  ]);
});

test("a flag without a value cannot swallow the next, whichever way it is written", () => {
  const { args } = commandLine(
    "-log.level",
    "DEBUG",
    "--accesslog",
    "--log.format",
    "--entryPoints.web.address",
    ":8000",
  );
  assert.deepEqual(args.slice(-3), ["--log.level=DEBUG", "--accesslog=true", "--log.format=true"]);
  assert.equal(args[0], "--entryPoints.web.address=127.30.1.4:8000/tcp");
});

test("log files are in the pod's volumes or its own directory, never elsewhere", () => {
  const { args } = commandLine("--accessLog.filePath=/data/../data/access.log", "--log.filePath=/etc/passwd");
  assert.deepEqual(args.slice(-2), [
    "--accessLog.filePath=/real/volume/access.log",
    `--log.filePath=${process.cwd()}/etc/passwd`,
  ]);
});

test("the flags that the Helm chart renders are all taken", () => {
  const chart = [
    "--global.checkNewVersion=false",
    "--entryPoints.web.http.redirections.entryPoint.to=:443",
    "--entryPoints.web.forwardedHeaders.trustedIPs=10.0.0.0/8",
    "--entryPoints.web.address=:8000/tcp",
    "--api.dashboard=true",
    "--metrics.prometheus.entrypoint=metrics",
    "--providers.kubernetesgateway",
    "--providers.kubernetesgateway.statusaddress.service.name=traefik",
    "--providers.kubernetesgateway.experimentalChannel=true",
    "--serversTransport.insecureSkipVerify=true",
    "--accesslog.fields.names.ClientHost=drop",
  ];
  assert.equal(commandLine(...chart).args.length, chart.length + 1);
});

const refused: [string, string[], RegExp][] = [
  ["another provider", ["--providers.file.filename=/etc/passwd"], /--providers\.file\.filename is refused/],
  ["another API server", ["--providers.kubernetesGateway.endpoint=http://x"], /endpoint is refused/],
  ["a file as a token", ["--Providers.kubernetesgateway.TOKEN=/root/.kube/config"], /TOKEN is refused/],
  ["a token in other clothes", ["--providers.kubernetesgateway.token[0]=x"], /token\[0\] is refused/],
  ["an address in other clothes", ["--entryPoints.web.address[0]=:80"], /address\[0\] is refused/],
  ["an entrypoint without a property", ["--entryPoints.web=true"], /--entryPoints\.web is refused/],
  [
    "a log over the token",
    ["--log.filePath=/var/run/secrets/x/token"],
    /filePath=\S+ is in a read-only volume: name a/,
  ],
  ["an access log there", ["--accesslog.filepath=/data/../var/run/secrets/x/kubeconfig"], /is in a read-only volume/],
  ["a configuration file", ["--configFile=/tmp/x.yml"], /--configFile is refused/],
  ["plugins", ["--experimental.localPlugins.x.moduleName=y"], /is refused.*Leave it out/],
  ["a certificate store", ["--certificatesResolvers.x.acme.storage=/x"], /is refused/],
  ["files of trust", ["--serversTransport.rootCAs=/etc/passwd"], /is refused/],
  ["a name that hides another", ["--providers.\u212Aubernetesgateway.endpoint=x"], /only flags are taken/],
  ["a subcommand", ["healthcheck"], /"healthcheck" is refused: only flags/],
  ["the end of flags", ["--", "x"], /"--" is refused/],
  ["an entrypoint without address", ["--entryPoints.web.http.tls=true"], /entrypoint web has no address: set/],
  ["a wrong address", ["--entryPoints.web.address=web"], /is not an address such as :8000\/tcp/],
  ["a port that was moved", ["--entryPoints.secure.address=:443"], /port 443 of entrypoint secure cannot be opened/],
];
for (const [what, args, message] of refused) {
  test(`${what} is refused in one line`, () => {
    assert.throws(
      () => commandLine(...args),
      (error: Error) => error instanceof TraefikRefusal && message.test(error.message) && !error.message.includes("\n"),
    );
  });
}
