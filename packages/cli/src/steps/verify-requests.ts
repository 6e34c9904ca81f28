// The proof at the end of `up`: one real request through every route of the demo.

import { request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { EntryAddress } from "../providers/provider.ts";
import type { DemoPage } from "./demo-pages.ts";
import { UserError } from "../user-error.ts";

const timeoutMs = 10_000;
const retryMs = 5;

/**
 * Resolves when each answered 200. A status or connection failure is tried again for ten seconds, then thrown. `flags`
 * choose the cluster in what is suggested then.
 */
export async function verifyRequests(
  entry: EntryAddress,
  pages: DemoPage[],
  flags: string,
  detail: (text: string) => void,
): Promise<void> {
  await Promise.all(pages.map((page) => verify(entry, page, flags)));
  detail(pages.map(({ host, path }) => `${host}${path}`).join(", "));
}

async function verify(entry: EntryAddress, probe: DemoPage, flags: string): Promise<void> {
  const giveUpAt = Date.now() + timeoutMs;
  for (;;) {
    const outcome = await answer(entry, probe).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
    if (outcome === 200) return;
    if (Date.now() > giveUpAt) {
      throw new UserError(
        `http://${probe.host}${probe.path} through ${entry.host}:${entry.port} gives ${outcome} instead of 200: look with gatehouse status${flags} and kubectl logs -n traefik -l app.kubernetes.io/name=traefik`,
      );
    }
    await delay(retryMs);
  }
}

function answer(entry: EntryAddress, { host, path }: DemoPage): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: entry.host,
        port: entry.port,
        path,
        headers: { host, "user-agent": "gatehouse" },
        agent: false,
        timeout: 2_000,
      },
      (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0));
        response.once("error", reject);
      },
    );
    outgoing.once("timeout", () => outgoing.destroy(new Error("no answer within 2 s")));
    outgoing.once("error", reject);
    outgoing.end();
  });
}
