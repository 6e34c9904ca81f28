// Fetching a text over HTTP(S), through the proxy that the environment names.

import type { Agent } from "node:http";
import { withoutPasswords } from "../shell-word.ts";
import { UserError } from "../user-error.ts";

const maximumBytes = 32 * 1024 * 1024;
const maximumRedirects = 5;

/** The body of a 200 answer. Follows redirects. Throws a UserError naming the URL and what went wrong. */
export async function download(url: string, timeoutMs: number): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await request(new URL(url), signal, maximumRedirects);
  } catch (error) {
    const why = signal.aborted ? `no answer within ${timeoutMs / 1000} s` : (error as Error).message;
    throw new UserError(`unable to read URL "${withoutPasswords(url)}": ${why}`, 1, { cause: error });
  }
}

async function request(url: URL, signal: AbortSignal, redirects: number): Promise<string> {
  const module = url.protocol === "http:" ? await import("node:http") : await import("node:https");
  // Node takes the proxies from here since 24.5; before, it ignores them.
  const agent: Agent = new module.Agent({ proxyEnv: process.env });
  return new Promise((resolve, reject) => {
    const outgoing = module.get(url, { agent, signal, headers: { "user-agent": "gatehouse" } }, (response) => {
      const { statusCode = 0, headers } = response;
      if (statusCode >= 300 && statusCode < 400 && headers.location && redirects > 0) {
        response.resume();
        const next = new URL(headers.location, url);
        if (url.protocol === "https:" && next.protocol !== "https:") reject(new Error("redirected away from https"));
        else resolve(request(next, signal, redirects - 1));
        return;
      }
      if (statusCode !== 200) {
        response.resume();
        reject(new Error(`server reported ${statusCode}`));
        return;
      }
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
        if (body.length > maximumBytes) response.destroy(new Error("larger than 32 MiB"));
      });
      response.once("error", reject);
      response.once("end", () => resolve(body));
    });
    outgoing.once("error", (error: NodeJS.ErrnoException) => reject(new Error(error.message || error.code)));
  });
}
