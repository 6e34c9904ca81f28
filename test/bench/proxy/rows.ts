// The rows of the bench: what each asks for, and the bar that ours is to reach.

import { type Load, wrk } from "./loads.ts";

/** Ours may use at most 1/`ratio` of a peer's processor time per request. */
export interface Bar {
  ratio: number;
  /** The peers it speaks of; the best of them counts. */
  peers: readonly string[];
}

export interface Row {
  /** For the command line. */
  name: string;
  title: string;
  load: Load;
  bars: readonly Bar[];
}

const small: readonly Bar[] = [
  { ratio: 1, peers: ["nginx", "haproxy"] },
  { ratio: 4, peers: ["caddy"] },
];
const large: readonly Bar[] = [{ ratio: 0.9, peers: ["nginx", "haproxy"] }];

const keepAlive = (connections: number): Row => ({
  name: `keepalive-${connections}`,
  title: `small keep-alive requests, ${connections} connection${connections === 1 ? "" : "s"}`,
  load: wrk({ connections }),
  bars: small,
});

/** In the order in which they run and are printed. */
export const rows: readonly Row[] = [
  keepAlive(1),
  keepAlive(64),
  keepAlive(512),
  keepAlive(1024),
  { name: "down", title: "1 MiB down", load: wrk({ connections: 16, path: "/large/1m" }), bars: large },
  { name: "up", title: "1 MiB up", load: wrk({ connections: 16, path: "/large/up", bodyBytes: 2 ** 20 }), bars: large },
  {
    name: "close",
    title: "a connection per request",
    load: wrk({ connections: 64, threads: 4, headers: { Connection: "close" } }),
    bars: [{ ratio: 0.85, peers: ["nginx", "haproxy"] }],
  },
];
