// What the real Traefik is started with when it plays a pod: the flags of the pod spec, checked, with every entrypoint
// moved to the pod's own address. Pure. Traefik's names of flags and its way of reading them: traefik/paerser, package flag.

import { type ListenAddress, listenAddresses, writablePath } from "@gatehouse/apimachinery/pod-environment";

/** A pod spec that the real Traefik must not, or cannot, be started with; the message says what to do. */
export class TraefikRefusal extends Error {}

export interface EntryPointPlaces {
  name: string;
  protocol: "tcp" | "udp";
  /** On the pod's address: where Traefik opens it. */
  pod: ListenAddress;
  /** The further places of its port (hostPort, the cluster's port mappings), whose connections have to be carried there. */
  others: ListenAddress[];
}

export interface TraefikCommandLine {
  args: string[];
  entryPoints: EntryPointPlaces[];
}

/** The entrypoints that Traefik opens unasked, on every address of the host. */
const impliedPorts = { traefik: 8080, http: 80 };

const fileFlags = /^(?:log|accesslog)\.filepath$/;

/** What a pod spec may say: how requests are served and reported. Not what makes Traefik read or write other files, run
 * code (plugins), present files as credentials, or look at other sources of configuration: it has the rights of the user
 * who started the cluster, and whoever may create pods must not get them. */
const allowedFlags = [
  /^global\.(?:checknewversion|sendanonymoususage)$/,
  /^entrypoints\.[\w-]+\.(?!address\b.)/,
  /^(?:api|ping|core)(?:\.|$)/,
  /^metrics\.(?:addinternals$|prometheus(?:\.|$))/,
  /^log(?:\.(?:level|format|nocolor|compress|max[a-z]+))?$/,
  /^accesslog(?:\.(?:format|bufferingsize|addinternals|fields\..*|filters\..*))?$/,
  fileFlags,
  /^providers\.providersthrottleduration$/,
  /^providers\.kubernetes(?:gateway|ingress|crd)(?:\.(?!(?:endpoint|token|certauthfilepath)\b).*)?$/,
  /^(?:tcp)?serverstransport\.(?:insecureskipverify|maxidleconnsperhost|forwardingtimeouts\..*)$/,
  /^tcpserverstransport\.(?:dialtimeout|dialkeepalive|terminationdelay|tls\.insecureskipverify)$/,
];

/** Throws a TraefikRefusal. */
export function traefikCommandLine(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): TraefikCommandLine {
  const ports = new Map<string, { name: string; port: number; protocol: "tcp" | "udp" }>();
  const mentioned = new Map<string, string>();
  const args: string[] = [];
  for (const { name, value } of flagsOf(argv)) {
    const key = name.toLowerCase();
    refuseFlag(name, key);
    const [, entryPoint, property] = /^entrypoints\.([^.]+)(?:\.(.*))?$/i.exec(name) ?? [];
    if (entryPoint !== undefined) mentioned.set(entryPoint.toLowerCase(), entryPoint);
    if (entryPoint !== undefined && property?.toLowerCase() === "address") {
      ports.set(entryPoint.toLowerCase(), { name: entryPoint, ...portOf(name, value) });
    } else args.push(`--${name}=${fileFlags.test(key) ? logFile(name, value, environment) : value}`);
  }
  addImplied(ports, mentioned);
  const entryPoints = [...ports.values()].map((each) => placesOf(each, environment));
  return { args: [...entryPoints.map(addressFlag), ...args], entryPoints };
}

/** Traefik's own three ways to write a flag. Each is passed on with its value, so that none can swallow the next. */
function flagsOf(argv: readonly string[]): { name: string; value: string }[] {
  const flags: { name: string; value: string }[] = [];
  for (let index = 0; index < argv.length; index++) {
    const text = argv[index] ?? "";
    const [, name, value] = /^--?([a-z0-9][a-z0-9._[\]-]*)(?:=([^]*))?$/i.exec(text) ?? [];
    if (name === undefined) {
      throw new TraefikRefusal(
        `args: "${text}" is refused: only flags are taken, such as --log.level=INFO. Leave it out.`,
      );
    }
    const next = argv[index + 1];
    if (value !== undefined) flags.push({ name, value });
    else if (next !== undefined && !next.startsWith("-")) flags.push({ name, value: argv[++index] ?? "" });
    else flags.push({ name, value: "true" });
  }
  return flags;
}

function refuseFlag(name: string, key: string): void {
  if (allowedFlags.some((pattern) => pattern.test(key))) return;
  throw new TraefikRefusal(
    `args: --${name} is refused: the real Traefik runs on this host with the rights of whoever started the cluster, so a ` +
      "pod spec may set what it serves and reports, but no other files, plugins, credentials or providers. Leave it out.",
  );
}

function logFile(name: string, value: string, environment: NodeJS.ProcessEnv): string {
  const path = writablePath(value, environment);
  if (path !== undefined) return path;
  throw new TraefikRefusal(
    `args: --${name}=${value} is in a read-only volume: name a file in an emptyDir volume, or outside of all volumes`,
  );
}

function portOf(name: string, value: string): { port: number; protocol: "tcp" | "udp" } {
  const [, port, protocol = "tcp"] = /:(\d{1,5})(?:\/(tcp|udp))?$/i.exec(value) ?? [];
  if (port === undefined) throw new TraefikRefusal(`args: --${name}=${value} is not an address such as :8000/tcp`);
  return { port: Number(port), protocol: protocol.toLowerCase() === "udp" ? "udp" : "tcp" };
}

/** Traefik would open them on every address of the host, where other machines reach them. */
function addImplied(
  ports: Map<string, { name: string; port: number; protocol: "tcp" | "udp" }>,
  mentioned: Map<string, string>,
): void {
  const add = (name: "traefik" | "http"): void => {
    ports.set(name, { name: mentioned.get(name) ?? name, port: impliedPorts[name], protocol: "tcp" });
  };
  if (!ports.has("traefik")) add("traefik");
  if ([...mentioned.keys()].every((name) => name === "traefik")) add("http");
  for (const [key, name] of mentioned) {
    if (!ports.has(key)) {
      throw new TraefikRefusal(`args: entrypoint ${name} has no address: set --entryPoints.${name}.address=:PORT/tcp`);
    }
  }
}

function placesOf(
  { name, port, protocol }: { name: string; port: number; protocol: "tcp" | "udp" },
  environment: NodeJS.ProcessEnv,
): EntryPointPlaces {
  const [pod, ...others] = listenAddresses(port, protocol, environment);
  if (!pod) throw new TraefikRefusal(`no place is planned for port ${port} of entrypoint ${name}`);
  // Traefik matches a Gateway's listener with an entrypoint by port number, and says the number it really opened.
  if (pod.port !== port) {
    throw new TraefikRefusal(
      `port ${port} of entrypoint ${name} cannot be opened on the pod's address ${pod.host} here, and the real Traefik ` +
        "cannot serve it on another number: use a free port above 1023, or a cluster with the built-in gateway",
    );
  }
  return { name, protocol, pod, others };
}

function addressFlag({ name, protocol, pod }: EntryPointPlaces): string {
  const host = pod.host.includes(":") ? `[${pod.host}]` : pod.host;
  return `--entryPoints.${name}.address=${host}:${pod.port}/${protocol}`;
}
