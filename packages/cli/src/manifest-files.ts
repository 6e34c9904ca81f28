// Reading manifests as kubectl does: files, directories, `-` for standard input and URLs; many documents each, YAML or JSON.

import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Readable } from "node:stream";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { UserError } from "./user-error.ts";

/** One object of a file. `documentIndex` counts the file's documents from 0. */
export interface Manifest {
  path: string;
  documentIndex: number;
  object: KubeObject;
}

export interface LoadOptions {
  /** Also read the directories inside directories. */
  recursive?: boolean;
  /** What `-` reads. Default: standard input. */
  stdin?: Readable;
}

/** The objects in order. Throws one UserError that names every file (and line) that cannot be used. */
export async function loadManifests(paths: readonly string[], options: LoadOptions = {}): Promise<Manifest[]> {
  const { manifests, problems } = await collectManifests(paths, options);
  if (problems.length > 0) throw new UserError(problems.map(({ message }) => message).join("\n"));
  return manifests;
}

/** What could be used, what could not, and files of a directory that are no manifests at all. */
export interface CollectedManifests {
  manifests: Manifest[];
  problems: UserError[];
  leftOut: string[];
}

/** As `loadManifests`, but what can be used is given beside what cannot. A path that does not exist is thrown. */
export async function collectManifests(
  paths: readonly string[],
  options: LoadOptions = {},
): Promise<CollectedManifests> {
  const manifests: Manifest[] = [];
  const problems: UserError[] = [];
  const leftOut: string[] = [];
  for (const path of await expand(paths, options.recursive ?? false)) {
    const { documents, problem } = await parseManifest(await readText(path, options.stdin), path);
    if (problem) problems.push(problem);
    // Helm values lie among manifests, here too. Who names such a file means it; who names its directory does not.
    if (!paths.includes(path) && documents.length > 0 && documents.every(isForeign)) {
      leftOut.push(path);
      continue;
    }
    for (const [documentIndex, value] of documents.entries()) {
      try {
        for (const object of objectsOf(value, path)) manifests.push({ path, documentIndex, object });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problems.push(error);
      }
    }
  }
  return { manifests, problems, leftOut };
}

/** The line for a file that was left out. */
export const notAManifest = (path: string): string =>
  `note: ${path} is no Kubernetes object (Helm values?) and was left out`;

const downloadTimeoutMs = 30_000;

const manifestExtensions = new Set([".yaml", ".yml", ".json"]);
const isUrl = (path: string): boolean => /^https?:\/\//.test(path);

async function expand(paths: readonly string[], recursive: boolean): Promise<string[]> {
  const files = await Promise.all(
    paths.map(async (path) => {
      if (path === "-" || isUrl(path)) return [path];
      const found = await stat(path).catch((error: unknown) => {
        throw new UserError(`the path "${path}" does not exist`, 1, { cause: error });
      });
      if (!found.isDirectory()) return [path];
      const inside = await filesIn(path, recursive);
      if (inside.length > 0) return inside;
      throw new UserError(`error reading ${path}: recognized file extensions are [.json .yaml .yml]`);
    }),
  );
  return files.flat();
}

async function filesIn(directory: string, recursive: boolean): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const sorted = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const files: string[] = [];
  for (const entry of sorted) {
    const path = join(directory, entry.name);
    const isDirectory = entry.isSymbolicLink() ? (await stat(path)).isDirectory() : entry.isDirectory();
    if (isDirectory) files.push(...(recursive ? await filesIn(path, true) : []));
    else if (manifestExtensions.has(extname(entry.name))) files.push(path);
  }
  return files;
}

async function readText(path: string, stdin: Readable = process.stdin): Promise<string> {
  if (path === "-") {
    const chunks: Buffer[] = [];
    for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Buffer));
    return Buffer.concat(chunks).toString("utf8");
  }
  if (!isUrl(path)) return readFile(path, "utf8");
  const { download } = await import("./tools/download.ts");
  return download(path, downloadTimeoutMs);
}

/** The documents before the first that cannot be read, and what is wrong with that one, by file and line. */
async function parseManifest(text: string, path: string): Promise<{ documents: unknown[]; problem?: UserError }> {
  const { LineCounter, parseAllDocuments } = await import("yaml");
  const lineCounter = new LineCounter();
  const documents: unknown[] = [];
  for (const document of parseAllDocuments(text, { ...kubernetesYaml, lineCounter, prettyErrors: false })) {
    const [error] = document.errors;
    if (error) {
      const { line, col } = lineCounter.linePos(error.pos[0]);
      return {
        documents,
        problem: new UserError(`error parsing ${path}: line ${line}, column ${col}: ${error.message}`),
      };
    }
    const value: unknown = document.toJS();
    if (value !== null && value !== undefined) documents.push(value);
  }
  return { documents };
}

/**
 * kubectl reads YAML 1.1 (`mode: 0644` is octal, `yes` is true), but neither its sexagesimal numbers nor its dates:
 * `12:30` and `2026-01-01` stay text.
 */
const kubernetesYaml = {
  version: "1.1" as const,
  uniqueKeys: true,
  customTags: (tags: (string | { tag: string; format?: string })[]) =>
    tags.filter(
      (each) => typeof each === "string" || !(each.format === "TIME" || each.tag.endsWith(":timestamp")),
    ) as never,
};

function objectsOf(value: unknown, path: string): KubeObject[] {
  const { apiVersion, kind, items } = (isRecord(value) ? value : {}) as Partial<KubeObject>;
  const missing = [...(apiVersion ? [] : ["apiVersion"]), ...(kind ? [] : ["kind"])].map((field) => `${field} not set`);
  if (missing.length > 0) {
    const remedy = isRecord(value) ? "it is no Kubernetes object (Helm values?)" : "it is not a mapping";
    throw new UserError(`error validating "${path}": [${missing.join(", ")}]: ${remedy}`);
  }
  if (kind?.endsWith("List") && Array.isArray(items)) return items.flatMap((item) => objectsOf(item, path));
  return [named(value as KubeObject, path)];
}

function named(object: KubeObject, path: string): KubeObject {
  if (isRecord(object.metadata)) return object;
  // kind's own configuration (kind/cluster.yaml) has a kind and no metadata: let the server's kinds decide what to say.
  const { name } = object as { name?: unknown };
  if (object.metadata !== undefined) throw new UserError(`error validating "${path}": metadata must be a mapping`);
  return { ...object, metadata: { name: typeof name === "string" ? name : "" } };
}

/** A mapping that does not begin to be a Kubernetes object. */
const isForeign = (value: unknown): boolean => isRecord(value) && !("apiVersion" in value) && !("kind" in value);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
