// Everything that is not a resource: health, version, metrics, discovery, OpenAPI.

import { kubernetesVersion } from "@gatehouse/apimachinery/kubernetes-version";
import type { Discovery, DocumentAnswer } from "../discovery.ts";
import type { ServiceAccountTokens } from "../auth/service-account-tokens.ts";
import { methodNotAllowed, noSuchResource } from "./error-answers.ts";
import { healthAnswer, isHealthPath } from "./health.ts";
import { issuerAnswer, issuerPath, keysPath } from "./issuer.ts";
import type { Metrics } from "./metrics.ts";
import type { PathAnswer } from "./path-answer.ts";
import type { OpenApi } from "../openapi.ts";
import type { Registry } from "../registry.ts";
import type { PathRequestInfo } from "./request-info.ts";
import { stateCopyPath } from "../storage/state-copy.ts";
import type { Store } from "../storage/store.ts";

/** The only paths served to strangers. */
export function isPublicPath(path: string): boolean {
  return isHealthPath(path) || path === "/version";
}

/** Answers the paths; discovery and OpenAPI are loaded when somebody first asks for them. */
export class PathAnswers {
  readonly #registry: Registry;
  readonly #metrics: Metrics;
  readonly #tokens: ServiceAccountTokens;
  readonly #store: Store;
  #discovery: Promise<Discovery> | undefined;
  #openApi: Promise<OpenApi> | undefined;

  constructor(registry: Registry, metrics: Metrics, store: Store, tokens: ServiceAccountTokens) {
    this.#registry = registry;
    this.#tokens = tokens;
    this.#metrics = metrics;
    this.#store = store;
  }

  /** Throws 404 for paths that are not served. */
  async answer(info: PathRequestInfo, accept: string): Promise<PathAnswer> {
    const path = info.path.length > 1 ? info.path.replace(/\/$/, "") : info.path;
    if (info.verb !== "get" && info.verb !== "head") throw refusedMethod(info.verb, path);
    const health = healthAnswer(path, info);
    if (health) return health;
    if (path === "/metrics") return { code: 200, contentType: metricsType, body: this.#metrics.text() };
    if (path === "/version") return { code: 200, contentType: "application/json", body: JSON.stringify(version) };
    if (path === stateCopyPath && info.verb === "get")
      return { code: 200, contentType: "application/vnd.sqlite3", body: this.#store.copy() };
    const document = await this.#document(path, info, accept);
    if (!document) throw noSuchResource();
    return { code: 200, ...document };
  }

  async #document(path: string, info: PathRequestInfo, accept: string): Promise<DocumentAnswer | undefined> {
    if (path.startsWith("/openapi/")) {
      this.#openApi ??= import("../openapi.ts").then(({ OpenApi: Documents }) => new Documents(this.#registry));
      return (await this.#openApi).answer(path, info.query.get("hash") ?? undefined, accept);
    }
    if (path === keysPath || path === issuerPath) return issuerAnswer(path, this.#tokens);
    if (path !== "/" && path !== "/api" && path !== "/apis" && !path.startsWith("/api/") && !path.startsWith("/apis/"))
      return undefined;
    this.#discovery ??= import("../discovery.ts").then(({ Discovery: Documents }) => new Documents(this.#registry));
    return (await this.#discovery).answer(path, accept);
  }
}

const resourceVerbs = new Set(["post", "put", "patch", "delete"]);

/** What only reads, and methods that nothing takes (OPTIONS, as there is no CORS), are 405; the rest is not there. */
function refusedMethod(verb: string, path: string): Error {
  return isPublicPath(path) || !resourceVerbs.has(verb) ? methodNotAllowed() : noSuchResource();
}

const metricsType = "text/plain; version=0.0.4; charset=utf-8";

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
