// A proxy over given services for the time of one test.

import type { Limits } from "../limits.ts";
import type { AccessRecord, Proxy } from "../proxy.ts";
import type { Listener, Route, Service } from "../routing-table.ts";
import { listener, route, table } from "./tables.ts";
import { variantProxy } from "./variant.ts";

export interface Setup {
  port: number;
  proxy: Proxy;
  records: AccessRecord[];
}

export interface Variations {
  route?: Partial<Route>;
  listener?: Partial<Listener>;
  limits?: Partial<Limits>;
  /** Default `*`. */
  hostname?: string;
}

/** Runs `run` with a proxy whose one route `r` leads to `services` in equal shares, and closes it afterwards. */
export async function withProxy(
  services: Service[],
  run: (setup: Setup) => Promise<void>,
  more: Variations = {},
): Promise<void> {
  const records: AccessRecord[] = [];
  const proxy = variantProxy({
    serverName: "gateway-1",
    onAccess: (record) => records.push(record),
    limits: more.limits ?? {},
  });
  const ids = services.map((each) => each.id);
  const hosts = { [more.hostname ?? "*"]: [route("/*", ids, { id: "r", ...more.route })] };
  const [state] = await proxy.apply(table([listener(hosts, more.listener)], services));
  try {
    await run({ port: state!.port, proxy, records });
  } finally {
    await proxy.close({ graceMs: 0 });
  }
}
