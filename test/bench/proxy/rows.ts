// The rows of the bench: what each asks for, and the bars that ours is to reach.

import { oursName, standard, type Variant } from "./contestant.ts";
import type { Contest } from "./figures.ts";
import { generator, h2load, type Load, wrk } from "./loads.ts";

export interface Bar {
  text: string;
  /** Undefined when nobody took part to compare with. */
  measure(contests: readonly Contest[]): number | undefined;
  atLeast?: number;
  atMost?: number;
}

export interface Row {
  /** For the command line. */
  name: string;
  title: string;
  load: Load;
  bars: readonly Bar[];
  /** Default: the standard one. */
  variants?: readonly Variant[];
  /** Left out are contestants that do not speak it. */
  needs?: "tls" | "h2";
  /** At half of what can be carried. */
  paced?: true;
  /** Memory is what is measured, of fresh processes. */
  memory?: true;
}

/** Processor time per request of the best of `peers`, over ours. */
function cpu(atLeast: number, ...peers: string[]): Bar {
  return {
    text: `CPU against ${peers.join(" and ")}`,
    measure: (contests) => least(contests.flatMap(({ name, ratio }) => (peers.includes(name) ? [ratio] : []))),
    atLeast,
  };
}

const least = (values: number[]): number | undefined => (values.length === 0 ? undefined : Math.min(...values));
const ours = (contests: readonly Contest[]): Contest | undefined => contests.find(({ name }) => name === oursName);

const small: readonly Bar[] = [cpu(1, "nginx", "haproxy"), cpu(4, "caddy")];
const large: readonly Bar[] = [cpu(0.9, "nginx", "haproxy")];

const keepAlive = (connections: number): Row => ({
  name: `keepalive-${connections}`,
  title: `small keep-alive requests, ${connections} connection${connections === 1 ? "" : "s"}`,
  load: wrk({ connections }),
  bars: small,
});

/** What a browser sends, and 20 more, as gateways see them behind other gateways. */
const manyHeaders: Record<string, string> = {
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Language": "en-GB,en;q=0.7,de;q=0.3",
  "Accept-Encoding": "gzip, deflate, br, zstd",
  Cookie: "session=0123456789abcdef0123456789abcdef; theme=dark; consent=1",
  Referer: "https://bench.test/some/page?with=query",
  "Cache-Control": "no-cache",
  ...Object.fromEntries(Array.from({ length: 22 }, (_, index) => [`X-Bench-Header-${index}`, `value-${index}`])),
};

const routes: Row = {
  name: "routes",
  title: "10, 1,000 and 20,000 hosts, 64 connections",
  load: wrk({ connections: 64 }),
  variants: [10, 1000, 20_000].map((hosts) => ({ ...standard, hosts })),
  bars: [
    {
      text: "CPU with 20,000 hosts against 10",
      measure: (contests) => contests.find(({ name, hosts }) => name === oursName && hosts === 20_000)?.growth,
      atMost: 1.05,
    },
  ],
};

const paced: Row = {
  name: "paced",
  title: "half load (open loop), 64 connections",
  load: generator("paced", { connections: 64 }),
  paced: true,
  bars: [
    {
      text: "p99 against nginx",
      measure: (contests) => contests.find(({ name }) => name === "nginx")?.tailRatio,
      atLeast: 1,
    },
  ],
};

const memory: Row = {
  name: "memory",
  title: "memory with 1,024 connections, and per idle one",
  load: wrk({ connections: 1024 }),
  memory: true,
  bars: [
    {
      text: "MB of RSS with 1,024 connections",
      measure: (contests) => megabytes(ours(contests)?.median.rss),
      atMost: 100,
    },
    { text: "KiB per idle connection", measure: (contests) => ours(contests)?.median.idle, atMost: 3 },
  ],
};

const megabytes = (kibibytes: number | undefined): number | undefined =>
  kibibytes === undefined ? undefined : (kibibytes * 1024) / 1e6;

/** In the order in which they run and are printed. */
export const rows: readonly Row[] = [
  keepAlive(1),
  keepAlive(64),
  keepAlive(512),
  keepAlive(1024),
  {
    name: "headers",
    title: "30 request headers, 64 connections",
    load: wrk({ connections: 64, headers: manyHeaders }),
    bars: small,
  },
  {
    // What is known from the message before is of no use here.
    name: "varied",
    title: "small keep-alive requests and answers, no two alike, 64 connections",
    load: wrk({ connections: 64, path: "/varied/", varied: true }),
    bars: [],
  },
  { name: "down", title: "1 MiB down", load: wrk({ connections: 16, path: "/large/1m" }), bars: large },
  { name: "up", title: "1 MiB up", load: wrk({ connections: 16, path: "/large/up", bodyBytes: 2 ** 20 }), bars: large },
  {
    name: "close",
    title: "a connection per request",
    load: wrk({ connections: 64, threads: 4, headers: { Connection: "close" } }),
    bars: [cpu(0.85, "nginx", "haproxy")],
  },
  {
    name: "tls",
    title: "small keep-alive requests over TLS, 64 connections",
    load: wrk({ connections: 64, tls: true }),
    needs: "tls",
    bars: [cpu(0.9, "nginx")],
  },
  {
    name: "handshakes",
    title: "a TLS connection per request, no session resumed",
    load: generator("handshakes", { connections: 16, tls: true }),
    needs: "tls",
    bars: [],
  },
  {
    name: "h2",
    title: "HTTP/2 clients over TLS, 64 connections, 10 streams each",
    load: h2load({ connections: 64, streams: 10 }),
    needs: "h2",
    bars: [cpu(0.6, "nginx"), cpu(3, "caddy")],
  },
  {
    name: "websocket",
    title: "WebSocket messages and back, 64 connections",
    load: generator("echo", { connections: 64 }),
    bars: [],
  },
  {
    name: "workers",
    title: "2 workers, small keep-alive requests, 64 connections",
    load: wrk({ connections: 64 }),
    variants: [{ ...standard, workers: 2 }],
    bars: small,
  },
  routes,
  paced,
  memory,
];
