// /openapi/v3: an index with a hash for each group version, and a document for each. Made on demand, kept until kinds change.

import { createHash } from "node:crypto";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import { type DefinitionSource, type DocumentAnswer, groupVersions } from "./discovery.ts";
import { groupVersionDocument } from "./openapi/document.ts";
import type { ResourceDefinition } from "./resource-definition.ts";

const root = "/openapi/v3";

/** A document that belongs to its hash never changes. */
const forever = { "cache-control": "public, immutable", expires: new Date("2038-01-01").toUTCString() };

/** Answers the OpenAPI paths. */
export class OpenApi {
  readonly #source: DefinitionSource;
  /** By definition list: documents survive changes of other groups. */
  readonly #documents = new Map<string, { definitions: ResourceDefinition[]; body: string; hash: string }>();
  #generation = -1;
  #index = "";
  #served = new Map<string, ResourceDefinition[]>();

  constructor(source: DefinitionSource) {
    this.#source = source;
  }

  /** The answer for `path` (without a trailing slash) and the `hash` parameter of its URL; undefined when there is none. */
  answer(path: string, hash?: string, accept = ""): DocumentAnswer | undefined {
    if (path === "/openapi/v2") return emptyV2(accept);
    this.#refresh();
    if (path === root) return { contentType: "application/json", body: (this.#index ||= this.#makeIndex()) };
    if (!path.startsWith(`${root}/`)) return undefined;
    const document = this.#document(path.slice(root.length + 1));
    if (!document) return undefined;
    const headers = { etag: `"${document.hash}"`, ...(hash === document.hash ? forever : {}) };
    return { contentType: "application/json", body: document.body, headers };
  }

  #refresh(): void {
    if (this.#generation === this.#source.generation) return;
    this.#generation = this.#source.generation;
    this.#index = "";
    this.#served = new Map(
      groupVersions(this.#source).map(({ group, version, definitions }) => [
        `${group ? "apis" : "api"}/${apiVersionOf({ group, version })}`,
        definitions,
      ]),
    );
    for (const key of this.#documents.keys()) if (!this.#served.has(key)) this.#documents.delete(key);
  }

  #document(key: string): { body: string; hash: string } | undefined {
    const definitions = this.#served.get(key);
    if (!definitions) return undefined;
    const known = this.#documents.get(key);
    const unchanged =
      known?.definitions.length === definitions.length &&
      known.definitions.every((item, at) => item === definitions[at]);
    if (known && unchanged) return known;
    const body = JSON.stringify(groupVersionDocument(definitions));
    const hash = createHash("sha256").update(body).digest("hex").toUpperCase();
    const document = { definitions, body, hash };
    this.#documents.set(key, document);
    return document;
  }

  #makeIndex(): string {
    const paths = [...this.#served.keys()].map((key) => [
      key,
      { serverRelativeURL: `${root}/${key}?hash=${this.#document(key)?.hash ?? ""}` },
    ]);
    return JSON.stringify({ paths: Object.fromEntries(paths) as unknown });
  }
}

const v2Protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const v2Info = { title: "Gatehouse", version: "v1" };

/**
 * Version 2 without any kinds. kubectl falls back to it for a kind that version 3 does not know, asks for protobuf, and says
 * "ensure CRDs are installed first" only when it could read the answer.
 */
function emptyV2(accept: string): DocumentAnswer {
  if (!accept.includes("com.github.proto-openapi.spec.v2")) {
    const document = { swagger: "2.0", info: v2Info, paths: {}, definitions: {} };
    return { contentType: "application/json", body: JSON.stringify(document) };
  }
  // message Document { string swagger = 1; Info info = 2; }, message Info { string title = 1; string version = 2; }
  const info = Buffer.concat([protobufField(1, v2Info.title), protobufField(2, v2Info.version)]);
  return { contentType: v2Protobuf, body: Buffer.concat([protobufField(1, "2.0"), protobufField(2, info)]) };
}

/** A length-delimited field shorter than 128 bytes. */
function protobufField(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}
