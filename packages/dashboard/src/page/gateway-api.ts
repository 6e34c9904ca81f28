// What the page reads from the gateway: Traefik's API with the `gatehouse` additions. Fields may be missing when the
// page talks to a real Traefik.

export interface EntryPoint {
  name: string;
  address: string;
  gatehouse?: { addresses: string[] };
}

export interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
}

/** Of the paths at which the API has lists. */
const protocols = ["http", "tcp", "udp"] as const;

export interface Router {
  name: string;
  protocol: (typeof protocols)[number];
  /** Routers for UDP have none. */
  rule?: string;
  status: string;
  error?: string[];
  entryPoints?: string[];
  service?: string;
  gatehouse?: {
    kind: string;
    namespace: string;
    name: string;
    rule: number;
    gateway: string;
    addresses: string[];
    parents: { conditions: Condition[] }[];
  };
}

export interface Service {
  name: string;
  type?: string;
  status: string;
  error?: string[];
  usedBy?: string[];
  loadBalancer?: { servers?: Server[] };
  weighted?: { services?: { name: string; weight?: number; status?: number }[] };
  serverStatus?: Record<string, string>;
  gatehouse?: { namespace: string; name: string; port: number; servers: (Server & { pod: string; state: string })[] };
}

/** With HTTP a URL, else an address. */
export interface Server {
  url?: string;
  address?: string;
}

export interface Snapshot {
  version: { Version?: string };
  entryPoints: EntryPoint[];
  routers: Router[];
  services: Service[];
}

const timeoutMs = 5_000;
const pageSize = 500;

/** Everything at once. Throws an Error that says which request failed and how. */
export async function readSnapshot(): Promise<Snapshot> {
  const [version, entryPoints, routers, services] = await Promise.all([
    read<Snapshot["version"]>("version"),
    readAll<EntryPoint>("entrypoints"),
    Promise.all(protocols.map(readRouters)),
    Promise.all(protocols.map((protocol) => readAll<Service>(`${protocol}/services`))),
  ]);
  return { version: version.body, entryPoints, routers: routers.flat(), services: services.flat() };
}

async function readRouters(protocol: Router["protocol"]): Promise<Router[]> {
  const routers = await readAll<Omit<Router, "protocol">>(`${protocol}/routers`);
  return routers.map((router) => ({ ...router, protocol }));
}

async function readAll<T>(path: string): Promise<T[]> {
  const items: T[] = [];
  for (let page = 1; ;) {
    const { body, next } = await read<T[]>(`${path}?per_page=${pageSize}&page=${page}`);
    items.push(...body);
    // Traefik names page 1 as the one after the last.
    if (next <= page) return items;
    page = next;
  }
}

async function read<T>(path: string): Promise<{ body: T; next: number }> {
  const url = new URL(`../api/${path}`, document.baseURI);
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), cache: "no-store" });
  if (!response.ok) throw new Error(`${url.pathname} was answered with ${response.status}`);
  return { body: (await response.json()) as T, next: Number(response.headers.get("x-next-page") ?? 1) };
}
