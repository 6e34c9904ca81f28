// /healthz, /livez and /readyz: `ok`, each check by name with ?verbose, and one check alone as a path below.

import type { PathAnswer } from "./path-answer.ts";
import type { PathRequestInfo } from "./request-info.ts";

const roots = ["/healthz", "/livez", "/readyz"];

/**
 * What is checked: that it answers, and that it has its state. Probes made for Kubernetes ask for the latter as `etcd`. Whoever is
 * answered at all gets an `ok`: the server listens once its state is there, and ends when it cannot be kept.
 */
const checks = ["ping", "etcd"];

/** The only health paths for strangers; single checks are for those who may. */
export function isHealthPath(path: string): boolean {
  return roots.includes(path);
}

/** Undefined for other paths, and for a check that there is not. */
export function healthAnswer(path: string, { query }: PathRequestInfo): PathAnswer | undefined {
  const root = roots.find((candidate) => path === candidate || path.startsWith(`${candidate}/`));
  if (!root) return undefined;
  const check = path.slice(root.length + 1);
  if (check !== "" && !checks.includes(check)) return undefined;
  const name = root.slice(1);
  const excluded = query.getAll("exclude");
  const lines = checks.map((one) => (excluded.includes(one) ? `[+]${one} excluded: ok` : `[+]${one} ok`));
  const verbose = query.has("verbose") && check === "";
  const body = verbose ? `${lines.join("\n")}\n${name} check passed\n` : "ok";
  const headers = { "x-content-type-options": "nosniff" };
  return { code: 200, contentType: "text/plain; charset=utf-8", body, headers };
}
