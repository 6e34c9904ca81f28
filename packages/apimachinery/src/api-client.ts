// The Kubernetes API as functions: typed verbs over a connection. Every failure answer is thrown as a StatusError.

import type { IncomingMessage } from "node:http";
import { type ApiConnection, type ApiRequest, type ConnectionOptions, createApiConnection } from "./api-connection.ts";
import type { KubeList, KubeObject } from "./meta.ts";
import { resourcePath, type ResourceType } from "./resource-type.ts";
import { type Status, StatusError } from "./status-error.ts";

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
}

export interface WatchOptions extends Omit<ListOptions, "limit" | "continue"> {
  /** Ends the watch when aborted. */
  signal?: AbortSignal;
  /** Start with the present state as ADDED events and a marked bookmark (WatchList, KEP-3157). */
  sendInitialEvents?: boolean;
  timeoutSeconds?: number;
}

export interface WatchEvent<T extends KubeObject = KubeObject> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: T;
}

export interface WriteOptions {
  fieldManager?: string;
  dryRun?: boolean;
  fieldValidation?: "Ignore" | "Warn" | "Strict";
  /** With `apply` patches: takes fields over that other managers have. */
  force?: boolean;
  /** Receives each Warning header's text. */
  onWarning?: (warning: string) => void;
}

export type PatchType = "json" | "merge" | "strategic-merge" | "apply";

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: "Background" | "Foreground" | "Orphan";
  preconditions?: { uid?: string; resourceVersion?: string };
}

export interface ApiClient {
  get<T extends KubeObject>(type: ResourceType<T>, name: string, namespace?: string): Promise<T>;
  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Promise<KubeList<T>>;
  create<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T>;
  /** Replaces the object; fails with Conflict unless its resourceVersion is current (or absent). */
  update<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T>;
  updateStatus<T extends KubeObject>(type: ResourceType<T>, object: T, options?: WriteOptions): Promise<T>;
  /** With `apply` (which needs a fieldManager), `patch` is the configuration that the manager wants to be so (KEP-555). */
  patch<T extends KubeObject>(
    type: ResourceType<T>,
    target: { name: string; namespace?: string; subresource?: string },
    patchType: PatchType,
    patch: unknown,
    options?: WriteOptions,
  ): Promise<T>;
  delete(type: ResourceType, name: string, namespace?: string, options?: DeleteOptions): Promise<void>;
  /** Yields events until the server ends the watch, the signal aborts (ends quietly), or the connection fails (throws). */
  watch<T extends KubeObject>(type: ResourceType<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>>;
  /** Any request, with the JSON answer parsed. */
  json<R>(request: ApiRequest): Promise<R>;
  /** Any request, answered by its stream. Failure statuses throw. */
  stream(request: ApiRequest): Promise<IncomingMessage>;
  close(): void;
}

const patchTypes: Record<PatchType, string> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  "strategic-merge": "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/** Connects lazily: a wrong address shows at the first call. */
export async function createApiClient(options: ConnectionOptions): Promise<ApiClient> {
  return clientOver(await createApiConnection(options));
}

/** The verbs over an existing connection. */
export function clientOver(connection: ApiConnection): ApiClient {
  const stream = async (request: ApiRequest): Promise<IncomingMessage> => {
    const response = await connection.request(request);
    if ((response.statusCode ?? 500) >= 400) throw await failure(response);
    return response;
  };
  const json = async <R>(request: ApiRequest, onWarning?: (warning: string) => void): Promise<R> => {
    const response = await stream({
      ...request,
      headers: { accept: "application/json", ...request.headers },
    });
    if (onWarning) warningsOf(response).forEach(onWarning);
    return JSON.parse(await text(response)) as R;
  };
  const send = <T extends KubeObject>(method: string, path: string, body: unknown, options: WriteOptions = {}) =>
    json<T>(
      {
        method,
        path: path + writeQuery(options),
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      },
      options.onWarning,
    );

  return {
    json,
    stream,
    close: () => connection.close(),
    get: (type, name, namespace) => json({ method: "GET", path: resourcePath(type, namespace, name) }),
    list: (type, options = {}) =>
      json({
        method: "GET",
        path: resourcePath(type, options.namespace) + query(listQuery(options)),
      }),
    create: (type, object, options) => send("POST", resourcePath(type, object.metadata.namespace), object, options),
    update: (type, object, options) => send("PUT", pathOf(type, object), object, options),
    updateStatus: (type, object, options) => send("PUT", `${pathOf(type, object)}/status`, object, options),
    patch: (type, target, patchType, patch, options = {}) =>
      json(
        {
          method: "PATCH",
          path: resourcePath(type, target.namespace, target.name, target.subresource) + writeQuery(options),
          body: JSON.stringify(patch),
          headers: { "content-type": patchTypes[patchType] },
        },
        options.onWarning,
      ),
    delete: async (type, name, namespace, options) => {
      await json({
        method: "DELETE",
        path: resourcePath(type, namespace, name),
        ...(options ? { body: JSON.stringify(options), headers: { "content-type": "application/json" } } : {}),
      });
    },
    watch: (type, options) => watch(stream, type, options),
  };
}

async function* watch<T extends KubeObject>(
  stream: ApiClient["stream"],
  type: ResourceType<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const parameters = {
    ...listQuery(options),
    watch: "true",
    allowWatchBookmarks: "true",
    ...(options.timeoutSeconds ? { timeoutSeconds: String(options.timeoutSeconds) } : {}),
    ...(options.sendInitialEvents ? { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" } : {}),
  };
  try {
    const response = await stream({
      method: "GET",
      path: resourcePath(type, options.namespace) + query(parameters),
      headers: { accept: "application/json" },
      ...(options.signal ? { signal: options.signal } : {}),
    });
    for await (const line of lines(response)) yield JSON.parse(line) as WatchEvent<T>;
  } catch (error) {
    if (options.signal?.aborted) return;
    throw error;
  }
}

/** The lines of a stream as they become complete, empty ones left out. A last line without a newline is not one (watches). */
export async function* lines(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding("utf8");
  let rest = "";
  for await (const chunk of response as AsyncIterable<string>) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part !== "") yield part;
  }
}

/** The whole body as text. Events rather than an iterator: a small answer costs a tenth of the time. */
export function text(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => (body += chunk));
    response.once("end", () => resolve(body));
    response.once("error", reject);
  });
}

async function failure(response: IncomingMessage): Promise<StatusError> {
  const body = await text(response);
  try {
    const status = JSON.parse(body) as Status;
    if (status.kind === "Status")
      return new StatusError({ ...status, code: status.code ?? response.statusCode ?? 500 });
  } catch {
    // Not a Status: a proxy or another server answered. Its words are the best message there is.
  }
  return new StatusError({
    code: response.statusCode ?? 500,
    reason: "Unknown",
    message: body.trim() || `the server answered ${response.statusCode}`,
  });
}

function warningsOf(response: IncomingMessage): string[] {
  const header = response.headers.warning;
  return header
    ? [...header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((found) => (found[1] ?? "").replace(/\\(.)/g, "$1"))
    : [];
}

const pathOf = (type: ResourceType, object: KubeObject): string =>
  resourcePath(type, object.metadata.namespace, object.metadata.name);

function listQuery(options: ListOptions): Record<string, string> {
  const { labelSelector, fieldSelector, limit, resourceVersion } = options;
  return {
    ...(labelSelector ? { labelSelector } : {}),
    ...(fieldSelector ? { fieldSelector } : {}),
    ...(limit ? { limit: String(limit) } : {}),
    ...(options.continue ? { continue: options.continue } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
  };
}

function writeQuery(options: WriteOptions): string {
  return query({
    ...(options.fieldManager ? { fieldManager: options.fieldManager } : {}),
    ...(options.dryRun ? { dryRun: "All" } : {}),
    ...(options.fieldValidation ? { fieldValidation: options.fieldValidation } : {}),
    ...(options.force ? { force: "true" } : {}),
  });
}

function query(parameters: Record<string, string>): string {
  const encoded = new URLSearchParams(parameters).toString();
  return encoded ? `?${encoded}` : "";
}
