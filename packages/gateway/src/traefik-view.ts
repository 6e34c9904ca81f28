// The shapes of Traefik's API, as far as the gateway has something to show in them. `gatehouse` is ours in each of them.

export type Status = "enabled" | "disabled" | "warning";

/** Routers for UDP have no rule: an entrypoint's datagrams all go one way. */
export interface UdpRouterView {
  name: string;
  provider: string;
  entryPoints: string[];
  using: string[];
  service: string;
  status: Status;
  error?: string[];
  gatehouse?: RouterOrigin;
}

/** Which object and rule a router comes from. */
export interface RouterOrigin {
  kind: string;
  namespace: string;
  name: string;
  rule: number;
  gateway: string;
  addresses: string[];
  parents: { parentRef: unknown; conditions: { type: string; status: string; reason: string; message: string }[] }[];
}

export interface TcpRouterView extends UdpRouterView {
  rule: string;
  priority: number;
  priorityStr: string;
  /** Of TLSRoutes. */
  tls?: { passthrough: boolean };
}

export interface RouterView extends UdpRouterView {
  rule: string;
  priority: number;
  priorityStr: string;
  middlewares?: string[];
}

export interface ServiceView {
  name: string;
  provider: string;
  type: string;
  status: Status;
  error?: string[];
  usedBy: string[];
  loadBalancer?: { servers: ServerView[]; strategy?: string; passHostHeader?: boolean };
  weighted?: { services: { name: string; weight: number; status?: number }[] };
  /** By URL or address; Traefik knows none for UDP. */
  serverStatus?: Record<string, "UP" | "DOWN">;
  gatehouse?: {
    kind: string;
    namespace: string;
    name: string;
    port: number;
    servers: (ServerView & { pod: string; state: string })[];
  };
}

/** With HTTP a URL, else `host:port`, and whether it is spoken to over TLS. */
export type ServerView = { url: string } | { address: string; tls?: boolean };

export interface MiddlewareView {
  name: string;
  provider: string;
  type: string;
  status: Status;
  usedBy: string[];
  [settings: string]: unknown;
}

/** The lists of each protocol under the names of their paths, each sorted by name. */
export interface TraefikView {
  http: { routers: RouterView[]; services: ServiceView[]; middlewares: MiddlewareView[] };
  tcp: { routers: TcpRouterView[]; services: ServiceView[]; middlewares: MiddlewareView[] };
  udp: { routers: UdpRouterView[]; services: ServiceView[] };
}
