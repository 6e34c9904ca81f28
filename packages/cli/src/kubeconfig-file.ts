// Writing the cluster's context into the user's kubeconfig and taking it out again, as kind does: other entries,
// comments and order stay, the file is replaced whole, under kubectl's own lock.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { isMap, isSeq, parseDocument, type Document, type YAMLSeq } from "yaml";
import { isAlive } from "./process-liveness.ts";
import { UserError } from "./user-error.ts";

export interface ContextEntry {
  context: string;
  server: string;
  /** PEM. */
  certificateAuthority: string;
  clientCertificate: string;
  clientKey: string;
}

/** What removing the context needs to know to put things back as they were. */
export interface KubeconfigChange {
  path: string;
  created: boolean;
  /** The directory of the file was made too. */
  directoryCreated?: boolean;
  previousContext?: string;
}

/** As kind chooses among the files of KUBECONFIG: the first that exists, else the last. */
export function pathToMerge(paths: string[]): string {
  return paths.find((path) => existsSync(path)) ?? paths.at(-1) ?? "";
}

const lists = ["clusters", "users", "contexts"] as const;

/** Adds or replaces the context and makes it the current one. `path` may not exist yet. */
export function addContext(path: string, entry: ContextEntry): KubeconfigChange {
  const directoryCreated = mkdirSync(dirname(path), { recursive: true, mode: 0o700 }) !== undefined;
  return locked(path, () => {
    const { document, exists } = load(path);
    const previous = document.get("current-context");
    const ours = onlyOurs(document);
    upsert(document, "clusters", entry.context, {
      cluster: { "certificate-authority-data": base64(entry.certificateAuthority), server: entry.server },
    });
    upsert(document, "users", entry.context, {
      user: {
        "client-certificate-data": base64(entry.clientCertificate),
        "client-key-data": base64(entry.clientKey),
      },
    });
    upsert(document, "contexts", entry.context, { context: { cluster: entry.context, user: entry.context } });
    document.set("current-context", entry.context);
    save(path, document);
    return {
      path,
      created: !exists || ours,
      ...(directoryCreated ? { directoryCreated } : {}),
      ...(typeof previous === "string" && previous !== "" && previous !== entry.context
        ? { previousContext: previous }
        : {}),
    };
  });
}

/** Removes the context; the file goes too when it is ours and nothing else is in it, and so does its directory. */
export function removeContext(change: KubeconfigChange, context: string): void {
  if (!fileExists(change.path)) return;
  removeEntries(change, context);
  const directory = dirname(change.path);
  if (change.directoryCreated && readdirSync(directory).length === 0) rmdirSync(directory);
}

function removeEntries(change: KubeconfigChange, context: string): void {
  locked(change.path, () => {
    const { document } = load(change.path);
    for (const list of lists) {
      const sequence = sequenceOf(document, list);
      sequence.items = sequence.items.filter((item) => nameOf(item) !== context);
    }
    if (document.get("current-context") === context) {
      const previous = change.previousContext;
      const stillThere = sequenceOf(document, "contexts").items.some((item) => nameOf(item) === previous);
      document.set("current-context", previous && stillThere ? previous : "");
    }
    const empty = lists.every((list) => sequenceOf(document, list).items.length === 0);
    if (change.created && empty) rmSync(change.path);
    else save(change.path, document);
  });
}

function load(path: string): { document: Document; exists: boolean } {
  const exists = fileExists(path);
  const document = parseDocument(exists ? readFileSync(path, "utf8") : "");
  if (document.errors.length > 0) {
    throw new UserError(
      `kubeconfig ${path} cannot be read: ${document.errors[0]?.message.split("\n")[0]}: mend it, or point KUBECONFIG at another file`,
    );
  }
  if (document.contents === null)
    document.contents = document.createNode({ apiVersion: "v1", kind: "Config" }) as never;
  if (!isMap(document.contents))
    throw new UserError(`kubeconfig ${path} is not a kubeconfig: its top level is not a mapping`);
  return { document, exists };
}

/** Other clusters of ours made the file, and the last one to go shall take it away. */
function onlyOurs(document: Document): boolean {
  const { items } = sequenceOf(document, "contexts");
  return items.length > 0 && items.every((item) => /^gatehouse(-|$)/.test(String(nameOf(item))));
}

function upsert(document: Document, list: (typeof lists)[number], name: string, fields: Record<string, unknown>): void {
  const sequence = sequenceOf(document, list);
  const entry = document.createNode({ name, ...fields });
  const at = sequence.items.findIndex((item) => nameOf(item) === name);
  if (at < 0) sequence.items.push(entry);
  else sequence.items[at] = entry;
}

function sequenceOf(document: Document, list: string): YAMLSeq {
  const present = document.get(list);
  if (isSeq(present)) {
    present.flow = false;
    return present;
  }
  const created = document.createNode([]);
  document.set(list, created);
  return created;
}

function nameOf(item: unknown): unknown {
  return isMap(item) ? item.get("name") : undefined;
}

/** Follows a link to the real file, and never leaves a half-written one. Kubeconfigs hold keys: 0600. */
function save(path: string, document: Document): void {
  const target = fileExists(path) ? realpathSync(path) : path;
  const temporary = `${target}.${process.pid}.tmp`;
  // Made anew: through a link or a file that somebody else opened before, the keys would be theirs.
  rmSync(temporary, { force: true });
  writeFileSync(temporary, document.toString({ lineWidth: 0 }), { mode: 0o600, flag: "wx" });
  renameSync(temporary, target);
}

/** client-go's own lock: `<file>.lock`, made exclusively. Another writer is waited for, two seconds at most. */
function locked<T>(path: string, work: () => T): T {
  const lock = `${path}.lock`;
  const giveUpAt = Date.now() + 2_000;
  while (!tryLock(lock)) {
    if (Date.now() > giveUpAt) {
      throw new UserError(`kubeconfig ${path} is locked by another program: if none is running, remove ${lock}`);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Ours carry the process, so that one left by a killed command is in nobody's way; kubectl's are empty. */
function tryLock(lock: string): boolean {
  try {
    writeFileSync(lock, `gatehouse ${process.pid}`, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (isAbandoned(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isAbandoned(lock: string): boolean {
  try {
    const holder = /^gatehouse (\d+)$/.exec(readFileSync(lock, "utf8"))?.[1];
    return holder !== undefined && !isAlive(Number(holder));
  } catch {
    return false;
  }
}

function fileExists(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const base64 = (pem: string): string => Buffer.from(pem).toString("base64");
