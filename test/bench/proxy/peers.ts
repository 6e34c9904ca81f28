// The peers: each started from its template in configurations/, which says where its tuning comes from.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Contestant, hostNames, type Ports, type Surroundings, type Variant } from "./contestant.ts";
import { addresses, connectionLimit, findProgram, freePorts } from "./stage.ts";
import { nginxUser, render, renderInto } from "./template.ts";
import { untilAnswers } from "./until-answers.ts";

interface Peer {
  name: string;
  /** Arguments that make it print its version. */
  version: string[];
  /** Environment variable that names the binary, where no distribution has it. */
  variable?: string;
  /** Writes its configuration, and says how it is started. */
  configure(directory: string, settings: Settings): Launch;
}

interface Settings extends Surroundings {
  variant: Variant;
  ports: Ports & { metrics: number };
  accessLog: string;
}

interface Launch {
  args: string[];
  environment?: NodeJS.ProcessEnv;
  /** Its access log is what it prints. */
  logsToStdout?: boolean;
}

/** Peers that this machine can run, and why not the others. `wanted` empty: all. */
export function findPeers(wanted: readonly string[]): { found: Contestant[]; missing: Record<string, string> } {
  const found: Contestant[] = [];
  const missing: Record<string, string> = {};
  for (const peer of peers) {
    if (wanted.length > 0 && !wanted.includes(peer.name)) continue;
    const program = peer.variable ? process.env[peer.variable] : findProgram(peer.name);
    if (program) found.push({ name: peer.name, version: versionOf(program, peer), start: starter(program, peer) });
    else missing[peer.name] = peer.variable ? `${peer.variable} does not name a binary` : "not installed";
  }
  return { found, missing };
}

const nginx: Peer = {
  name: "nginx",
  version: ["-v"],
  configure: (directory, { backend, tls, variant, ports, accessLog }) => {
    const options = "backlog=4096 reuseport";
    const listen = addresses.flatMap((address) => [
      `listen ${address}:${ports.http} ${options};`,
      ...(tls ? [`listen ${address}:${ports.https} ssl http2 ${options};`] : []),
    ]);
    // Socket options belong to the first server of an address.
    const further = listen.map((line) => line.replace(` ${options}`, ""));
    const servers = (variant.hosts === 0 ? ["_"] : hostNames(variant)).map((names, index) =>
      render("nginx-server.conf", { listen: (index === 0 ? listen : further).join("\n    "), names }),
    );
    const path = renderInto(directory, "nginx.conf", {
      directory,
      workers: variant.workers,
      descriptors: 2 * connectionLimit,
      user: nginxUser,
      log: accessLog,
      backend: backend.http,
      echo: backend.echo,
      tls: tls ? `ssl_certificate ${tls.certificate};\n  ssl_certificate_key ${tls.key};` : "",
      servers: servers.join("\n"),
    });
    return { args: ["-p", directory, "-c", path] };
  },
};

const haproxy: Peer = {
  name: "haproxy",
  version: ["-v"],
  configure: (directory, { backend, tls, variant, ports }) => {
    const binds = addresses.flatMap((address) => [
      `  bind ${address}:${ports.http}`,
      ...(tls ? [`  bind ${address}:${ports.https} ssl crt ${tls.both} alpn h2,http/1.1`] : []),
    ]);
    let routing = "  default_backend app";
    if (variant.hosts > 0) {
      const map = join(directory, "hosts.map");
      const lines = hostNames(variant).map((name) => `${name} app\n`);
      writeFileSync(map, lines.join(""));
      routing = `  use_backend %[req.hdr(host),lower,map_str(${map})]`;
    }
    const path = renderInto(directory, "haproxy.cfg", {
      workers: variant.workers,
      connections: connectionLimit,
      binds: binds.join("\n"),
      routing,
      backend: backend.http,
      echo: backend.echo,
      metrics: ports.metrics,
    });
    return { args: ["-db", "-f", path], logsToStdout: true };
  },
};

const caddy: Peer = {
  name: "caddy",
  version: ["version"],
  configure: (directory, { backend, tls, variant, ports, accessLog }) => {
    const names = variant.hosts === 0 ? [""] : hostNames(variant);
    const secure = tls ? `https://:${ports.https} {\n\ttls ${tls.certificate} ${tls.key}\n\timport site\n}` : "";
    const path = renderInto(directory, "Caddyfile", {
      directory,
      plain: names.map((name) => `http://${name}:${ports.http}`).join(", "),
      secure,
      addresses: addresses.join(" "),
      log: accessLog,
      backend: backend.http,
      echo: backend.echo,
    });
    const home = { HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory };
    return {
      args: ["run", "--config", path, "--adapter", "caddyfile"],
      environment: { GOMAXPROCS: String(variant.workers), ...home },
    };
  },
};

const traefik: Peer = {
  name: "traefik",
  version: ["version"],
  variable: "GATEHOUSE_BENCH_TRAEFIK",
  configure: (directory, { backend, tls, variant, ports, accessLog }) => {
    const entryPoints = addresses.flatMap((address, index) => [
      `  web${index}: { address: "${address}:${ports.http}" }`,
      ...(tls ? [`  websecure${index}: { address: "${address}:${ports.https}", http: { tls: {} } }`] : []),
    ]);
    const rules = variant.hosts === 0 ? ["PathPrefix(`/`)"] : hostNames(variant).map((name) => `Host(\`${name}\`)`);
    const routers = rules.flatMap((rule, index) => [
      `    app${index}: { rule: "${rule}", service: app }`,
      `    echo${index}: { rule: "${rule} && PathPrefix(\`/echo\`)", service: echo }`,
    ]);
    const dynamic = renderInto(directory, "traefik-routes.yaml", {
      routers: routers.join("\n"),
      backend: backend.http,
      echo: backend.echo,
      tls: tls
        ? `tls: { stores: { default: { defaultCertificate: { certFile: ${tls.certificate}, keyFile: ${tls.key} } } } }`
        : "",
    });
    const path = renderInto(directory, "traefik.yaml", {
      entryPoints: entryPoints.join("\n"),
      metrics: ports.metrics,
      log: accessLog,
      dynamic,
    });
    return { args: [`--configFile=${path}`], environment: { GOMAXPROCS: String(variant.workers), HOME: directory } };
  },
};

const envoy: Peer = {
  name: "envoy",
  version: ["--version"],
  variable: "GATEHOUSE_BENCH_ENVOY",
  configure: (directory, { backend, tls, variant, ports, accessLog }) => {
    const names = variant.hosts === 0 ? ["*"] : hostNames(variant);
    const hosts = names.map((name, index) => render("envoy-host.yaml", { index, name }).trimEnd());
    const values = { log: accessLog, hosts: hosts.join("\n") };
    const listeners = addresses.flatMap((address) => [
      render("envoy-listener.yaml", { ...values, name: `web-${address}`, address, port: ports.http, tls: "" }),
      ...(tls
        ? [
            render("envoy-listener.yaml", {
              ...values,
              name: `websecure-${address}`,
              address,
              port: ports.https,
              tls: render("envoy-tls.yaml", { certificate: tls.certificate, key: tls.key }),
            }),
          ]
        : []),
    ]);
    const path = renderInto(directory, "envoy.yaml", {
      listeners: listeners.join("\n"),
      backend: backend.http,
      echo: backend.echo,
      metrics: ports.metrics,
    });
    return {
      args: ["-c", path, "--concurrency", String(variant.workers), "--log-level", "warning", "--disable-hot-restart"],
    };
  },
};

const peers: readonly Peer[] = [nginx, haproxy, caddy, traefik, envoy];

export const peerNames: readonly string[] = peers.map(({ name }) => name);

let runs = 0;

function starter(program: string, peer: Peer): Contestant["start"] {
  return async ({ stage, backend, tls }, variant) => {
    const directory = stage.makeDirectory(`${peer.name}-${++runs}`);
    const [http = 0, https = 0, metrics = 0] = await freePorts(3);
    const ports = { http, https, metrics };
    const accessLog = join(directory, "access.log");
    // Some open it for appending only when it is there, and it is emptied between the rounds.
    writeFileSync(accessLog, "");
    const launch = peer.configure(directory, {
      stage,
      backend,
      ...(tls && variant.hosts === 0 ? { tls } : {}),
      variant,
      ports,
      accessLog,
    });
    const started = stage.start(program, launch.args, {
      cores: variant.workers > 1 ? stage.cores.proxies : stage.cores.proxy,
      ...(launch.logsToStdout ? { stdout: accessLog } : {}),
      ...(launch.environment ? { environment: launch.environment } : {}),
    });
    await untilAnswers(peer.name, started, http);
    return { name: peer.name, variant, started, ports, accessLog };
  };
}

function versionOf(program: string, peer: Peer): string {
  const printed = execFileSync("sh", ["-c", '"$0" "$@" 2>&1', program, ...peer.version], { encoding: "utf8" });
  return /\d+\.\d+[\w.]*/.exec(printed)?.[0] ?? "unknown";
}
