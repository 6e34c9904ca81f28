// /openapi/v3: an index with a hash for each group version, and a document for each; /openapi/v2: one document of all.
// Made on demand, kept until kinds change.

import { createHash } from "node:crypto";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import { type DefinitionSource, type DocumentAnswer, groupVersions } from "./discovery.ts";
import { groupVersionDocument } from "./openapi/document.ts";
import { v2Document } from "./openapi/v2-document.ts";
import { v2Protobuf } from "./openapi/v2-protobuf.ts";
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
  /** Version 2, by whether it is protobuf. */
  readonly #version2Answers = new Map<boolean, DocumentAnswer>();
  #served = new Map<string, ResourceDefinition[]>();

  constructor(source: DefinitionSource) {
    this.#source = source;
  }

  /** The answer for `path` (without a trailing slash) and the `hash` parameter of its URL; undefined when there is none. */
  answer(path: string, hash?: string, accept = ""): DocumentAnswer | undefined {
    this.#refresh();
    if (path === "/openapi/v2") return this.#version2(accept.includes("com.github.proto-openapi.spec.v2"));
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
    this.#version2Answers.clear();
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

  #version2(protobuf: boolean): DocumentAnswer {
    const known = this.#version2Answers.get(protobuf);
    if (known) return known;
    const document = v2Document([...this.#served.values()].map(groupVersionDocument));
    const body = protobuf ? v2Protobuf(document) : JSON.stringify(document);
    const etag = `"${createHash("sha256").update(body).digest("hex").toUpperCase()}"`;
    const contentType = protobuf ? v2ProtobufType : "application/json";
    const answer = { contentType, body, headers: { etag, vary: "Accept" } };
    this.#version2Answers.set(protobuf, answer);
    return answer;
  }

  #makeIndex(): string {
    const paths = [...this.#served.keys()].map((key) => [
      key,
      { serverRelativeURL: `${root}/${key}?hash=${this.#document(key)?.hash ?? ""}` },
    ]);
    return JSON.stringify({ paths: Object.fromEntries(paths) as unknown });
  }
}

/** The at sign of what clients ask for is no character of a media type: the answer has a dot. */
const v2ProtobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
