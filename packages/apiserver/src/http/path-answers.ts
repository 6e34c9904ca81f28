// Everything that is not a resource: health, version, discovery, OpenAPI.

import { kubernetesVersion } from "@gatehouse/apimachinery/kubernetes-version";
import type { Discovery, DocumentAnswer } from "../discovery.ts";
import { noSuchResource } from "./error-answers.ts";
import type { OpenApi } from "../openapi.ts";
import type { Registry } from "../registry.ts";
import type { PathRequestInfo } from "./request-info.ts";

/** What a path outside the resources answers. */
export interface PathAnswer {
  code: number;
  contentType: string;
  body: string | Buffer;
  headers?: Record<string, string>;
}

const healthPaths = new Set(["/healthz", "/livez", "/readyz"]);

/** The only paths served to strangers. */
export function isPublicPath(path: string): boolean {
  return healthPaths.has(path) || path === "/version";
}

/** Answers the paths; discovery and OpenAPI are loaded when somebody first asks for them. */
export class PathAnswers {
  readonly #registry: Registry;
  #discovery: Promise<Discovery> | undefined;
  #openApi: Promise<OpenApi> | undefined;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Throws 404 for paths that are not served. */
  async answer(info: PathRequestInfo, accept: string): Promise<PathAnswer> {
    const path = info.path.length > 1 ? info.path.replace(/\/$/, "") : info.path;
    if (info.verb !== "get" && info.verb !== "head") throw noSuchResource();
    if (healthPaths.has(path)) return { code: 200, contentType: "text/plain; charset=utf-8", body: "ok" };
    if (path === "/version") return { code: 200, contentType: "application/json", body: JSON.stringify(version) };
    const document = await this.#document(path, info, accept);
    if (!document) throw noSuchResource();
    return { code: 200, ...document };
  }

  async #document(path: string, info: PathRequestInfo, accept: string): Promise<DocumentAnswer | undefined> {
    if (path.startsWith("/openapi/")) {
      this.#openApi ??= import("../openapi.ts").then(({ OpenApi: Documents }) => new Documents(this.#registry));
      return (await this.#openApi).answer(path, info.query.get("hash") ?? undefined, accept);
    }
    if (path !== "/api" && path !== "/apis" && !path.startsWith("/api/") && !path.startsWith("/apis/"))
      return undefined;
    this.#discovery ??= import("../discovery.ts").then(({ Discovery: Documents }) => new Documents(this.#registry));
    return (await this.#discovery).answer(path, accept);
  }
}

const architectures: Record<string, string> = { x64: "amd64", arm64: "arm64" };

const version = {
  ...kubernetesVersion,
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "2024-12-11T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: `${process.platform}/${architectures[process.arch] ?? process.arch}`,
};
