// What every verb works with: the state, the served resources, and one request on a resource.

import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import type { Log } from "@gatehouse/apimachinery/log";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ErrorSubject } from "@gatehouse/apimachinery/status-error";
import type { Node } from "@gatehouse/apimachinery/types/core-v1";
import type { ServiceAccountTokens } from "./auth/service-account-tokens.ts";
import type { Body } from "./http/decode-body.ts";
import type { Identity } from "./auth/identity.ts";
import type { Registry } from "./registry.ts";
import type { ResourceRequestInfo } from "./http/request-info.ts";
import type { ResourceDefinition } from "./resource-definition.ts";
import type { Store } from "./storage/store.ts";

/** A request that is to take its connection over: method, and headers with Connection and Upgrade among them. */
export interface UpgradeRequest {
  method: string;
  headers: Record<string, string | string[]>;
}

/**
 * Asks a node's kubelet for `path` (with query); resolves with its answer once the head is there. When that is 101 (asked for
 * with `upgrade`), the answer's `socket` is the stream from there on.
 */
export type NodeProxy = (
  node: Node,
  path: string,
  signal: AbortSignal,
  upgrade?: UpgradeRequest,
) => Promise<IncomingMessage>;

export interface ApiContext {
  store: Store;
  registry: Registry;
  tokens: ServiceAccountTokens;
  nodeProxy: NodeProxy | undefined;
  log: Log;
}

/** One authorized request on a served resource. */
export interface ResourceRequest extends ResourceRequestInfo {
  definition: ResourceDefinition;
  identity: Identity;
  /** Empty for verbs without a body. */
  body: Body;
  accept: string;
  /** The User-Agent header, empty when there was none. */
  userAgent: string;
  /** Collected here, sent as Warning headers. */
  warnings: string[];
  /** Aborts when the client goes away or the server closes. */
  signal: AbortSignal;
}

/** What a verb answers; the edge encodes it (as JSON, a Table or PartialObjectMetadata). */
export type Answer =
  | { type: "object"; code: number; object: KubeObject }
  | { type: "list"; items: KubeObject[]; metadata: Record<string, unknown> }
  /** Sent as it is, e.g. a Status or a review. */
  | { type: "json"; code: number; body: unknown }
  /** Copied through, e.g. a container's log. */
  | { type: "stream"; code: number; contentType: string; stream: Readable };

/** The subject of errors about a definition's object. */
export function subjectOf(definition: ResourceDefinition, name?: string): ErrorSubject {
  const { group, plural } = definition.type;
  return { group, plural, ...(name === undefined ? {} : { name }) };
}
