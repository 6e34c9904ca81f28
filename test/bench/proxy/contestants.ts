// Who takes part: ours, and the peers that this machine has, each started from its template in configurations/.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BackendPorts } from "./backend.ts";
import type { CertificateFiles } from "./certificate.ts";
import { addresses, connectionLimit, findProgram, freePorts, type Stage, type Started } from "./stage.ts";
import { buildOurs } from "./ours.ts";
import { nginxUser, render, renderInto } from "./template.ts";
import { untilAnswers } from "./until-answers.ts";
import type { Serving } from "./serve.ts";

/** What the rows vary. */
export interface Variant {
  /** 0: any host is served; else that many hosts, `host-0.bench.test` and on. */
  hosts: number;
  workers: number;
}

export interface Running {
  name: string;
  started: Started;
  ports: { http: number; https: number };
  accessLog: string;
}

export interface Surroundings {
  stage: Stage;
  backend: BackendPorts;
  /** PEM files; undefined when there is no openssl to make them. */
  tls?: CertificateFiles;
}

export interface Contestant {
  name: string;
  version: string;
  start(surroundings: Surroundings, variant: Variant): Promise<Running>;
}

/** Whom this machine can run, and why not the others. Ours comes first. */
export function findContestants(wanted: readonly string[]): { found: Contestant[]; missing: Record<string, string> } {
  const found: Contestant[] = [ours];
  const missing: Record<string, string> = {};
  for (const peer of peers) {
    if (wanted.length > 0 && !wanted.includes(peer.name)) continue;
    const program = peer.variable ? process.env[peer.variable] : findProgram(peer.name);
    if (program) found.push({ name: peer.name, version: versionOf(program, peer), start: starter(program, peer) });
    else missing[peer.name] = peer.variable ? `name its binary by ${peer.variable}` : "not installed";
  }
  return { found, missing };
}

const ours: Contestant = {
  name: "ours",
  version: `Node ${process.version}`,
  start: async ({ stage, backend, tls }, variant) => {
    const program = await buildOurs(stage);
    const directory = stage.makeDirectory(`ours-${++runs}`);
    const [http = 0, https = 0] = await freePorts(2);
    const ports = { http, https };
    const accessLog = join(directory, "access.log");
    const serving: Serving = {
      addresses,
      ports,
      backend: backend.http,
      echo: backend.echo,
      accessLog,
      hosts: variant.hosts,
      ...(tls ? { tls } : {}),
    };
    const started = stage.start(process.execPath, [program, JSON.stringify(serving)], { cores: stage.cores.proxy });
    await untilAnswers("ours", started, ports.http);
    return { name: "ours", started, ports, accessLog };
  },
};

let runs = 0;

interface Peer {
  name: string;
  version: string[];
  /** Environment variable that names the binary, where no distribution has it. */
  variable?: string;
  /** Writes its configuration, and says how it is started. */
  configure(directory: string, settings: Settings): Launch;
}

interface Settings extends Surroundings {
  variant: Variant;
  ports: { http: number; https: number; metrics: number };
  accessLog: string;
}

interface Launch {
  args: string[];
  environment?: NodeJS.ProcessEnv;
  /** Its access log is what it prints. */
  logsToStdout?: boolean;
}

const hostNames = ({ hosts }: Variant): string[] =>
  Array.from({ length: hosts }, (_, index) => `host-${index}.bench.test`);

const nginx: Peer = {
  name: "nginx",
  version: ["-v"],
  configure: (directory, { backend, tls, variant, ports, accessLog }) => {
    const listen = addresses.flatMap((address) => [
      `listen ${address}:${ports.http} backlog=4096 reuseport;`,
      ...(tls ? [`listen ${address}:${ports.https} ssl http2 backlog=4096 reuseport;`] : []),
    ]);
    const plain = listen.map((line) => line.replace(/ backlog.*/, ";"));
    const names = variant.hosts === 0 ? ["_"] : hostNames(variant);
    // Socket options belong to the first server of an address.
    const servers = names.map((name, index) =>
      render("nginx-server.conf", { listen: (index === 0 ? listen : plain).join("\n    "), names: name }),
    );
    const path = renderInto(directory, "nginx.conf", {
      directory,
      workers: variant.workers,
      descriptors: 2 * connectionLimit,
      user: nginxUser,
      log: accessLog,
      backend: backend.http,
      echo: backend.echo,
      certificate: tls?.certificate ?? "",
      key: tls?.key ?? "",
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
      writeFileSync(
        map,
        hostNames(variant)
          .map((name) => `${name} app\n`)
          .join(""),
      );
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
    const sites = names.flatMap((name) => [
      `http://${name}:${ports.http}`,
      ...(tls ? [`https://${name}:${ports.https}`] : []),
    ]);
    const path = renderInto(directory, "Caddyfile", {
      directory,
      sites: sites.join(", "),
      addresses: addresses.join(" "),
      tls: "",
      log: accessLog,
      backend: backend.http,
      echo: backend.echo,
    });
    return {
      args: ["run", "--config", path, "--adapter", "caddyfile"],
      environment: {
        GOMAXPROCS: String(variant.workers),
        HOME: directory,
        XDG_CONFIG_HOME: directory,
        XDG_DATA_HOME: directory,
      },
    };
  },
};

const peers: readonly Peer[] = [nginx, haproxy, caddy];

function starter(program: string, peer: Peer): Contestant["start"] {
  return async (surroundings, variant) => {
    const { stage } = surroundings;
    const directory = stage.makeDirectory(`${peer.name}-${++runs}`);
    const [http = 0, https = 0, metrics = 0] = await freePorts(3);
    const ports = { http, https, metrics };
    const accessLog = join(directory, "access.log");
    const launch = peer.configure(directory, { ...surroundings, variant, ports, accessLog });
    const started = stage.start(program, launch.args, {
      cores: variant.workers > 1 ? stage.cores.both : stage.cores.proxy,
      ...(launch.logsToStdout ? { stdout: accessLog } : {}),
      ...(launch.environment ? { environment: launch.environment } : {}),
    });
    await untilAnswers(peer.name, started, http);
    return { name: peer.name, started, ports, accessLog };
  };
}

function versionOf(program: string, peer: Peer): string {
  const printed = execFileSync("sh", ["-c", `"$0" "$@" 2>&1`, program, ...peer.version], { encoding: "utf8" });
  return /\d+\.\d+[\w.]*/.exec(printed)?.[0] ?? "unknown";
}
