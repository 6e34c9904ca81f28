// Everything that is not a resource: health, version, discovery, OpenAPI.

import type { ApiContext } from "./api-context.ts";
import { noSuchResource } from "./error-answers.ts";
import type { PathAnswer } from "./request-handler.ts";
import type { PathRequestInfo } from "./request-info.ts";

const healthPaths = new Set(["/healthz", "/livez", "/readyz"]);

/** The only paths served to strangers. */
export function isPublicPath(path: string): boolean {
  return healthPaths.has(path) || path === "/version";
}

/** Throws 404 for paths that are not served. */
export async function answerPath(context: ApiContext, info: PathRequestInfo, accept: string): Promise<PathAnswer> {
  const path = info.path.length > 1 ? info.path.replace(/\/$/, "") : info.path;
  if (info.verb !== "get" && info.verb !== "head") throw noSuchResource();
  if (healthPaths.has(path)) return { code: 200, contentType: "text/plain; charset=utf-8", body: "ok" };
  if (path === "/version") return json(version);
  throw noSuchResource();
}

function json(value: unknown): PathAnswer {
  return { code: 200, contentType: "application/json", body: JSON.stringify(value) };
}

const architectures: Record<string, string> = { x64: "amd64", arm64: "arm64" };

const version = {
  major: "1",
  minor: "32",
  gitVersion: "v1.32.0+gatehouse",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "2024-12-11T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: `${process.platform}/${architectures[process.arch] ?? process.arch}`,
};
