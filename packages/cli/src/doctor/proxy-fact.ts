// Which proxies the environment names, without their passwords.

import type { ProxyFact } from "./facts.ts";

const serverVariables = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/** Both spellings of each variable count: curl reads http_proxy in small letters only, others the large ones. */
export function proxyFact(environment: NodeJS.ProcessEnv): ProxyFact {
  const named = serverVariables.flatMap((variable) => {
    const value = environment[variable];
    return value ? [[variable, hostOf(value)] as const] : [];
  });
  const exceptions = [environment.NO_PROXY, environment.no_proxy]
    .flatMap((list) => (list ?? "").split(/[\s,]+/))
    .filter((entry) => entry !== "");
  return { servers: Object.fromEntries(named), exceptions: [...new Set(exceptions)] };
}

/** `http://user:secret@proxy.example:3128/` -> `proxy.example:3128`. The scheme may be absent. */
function hostOf(value: string): string {
  const rest = value.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/[/?#].*$/, "");
  return rest.slice(rest.lastIndexOf("@") + 1);
}
