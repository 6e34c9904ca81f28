// External authorization (GEP-1494): what a service is told of a request before that may pass, and what it may say.

import { UNTOUCHABLE } from "../filters.ts";
import type { HeaderEdits } from "../filters.ts";
import type { ExternalAuth } from "../routing-table.ts";
import type { OwnAnswer } from "../own-answer.ts";
import { safeTarget } from "../safe-text.ts";
import type { ServiceState } from "../upstream/service-state.ts";

/** A service that is asked, made ready. */
export interface AuthTarget {
  protocol: ExternalAuth["protocol"];
  /** Null when it cannot be asked: then nothing passes, and `problem` says why. */
  service: ServiceState | null;
  problem: string;
  /** Goes before the path, without a slash at its end. */
  prefix: string;
  /** Lower-case names. */
  allowedHeaders: Set<string>;
  allowedResponseHeaders: Set<string>;
  maxBodyBytes: number;
}

export function authTarget(filter: ExternalAuth, service: ServiceState | null, problem: string): AuthTarget {
  const lower = (names: string[]): Set<string> => new Set(names.map((name) => name.toLowerCase()));
  const prefix = filter.path === "" || filter.path.startsWith("/") ? filter.path : `/${filter.path}`;
  return {
    protocol: filter.protocol,
    service,
    problem,
    prefix: safeTarget(prefix).replace(/\/+$/, ""),
    allowedHeaders: lower(filter.allowedHeaders),
    allowedResponseHeaders: lower(filter.allowedResponseHeaders),
    maxBodyBytes: filter.maxBodyBytes,
  };
}

/** A request as it is shown, before the filters of its route change it. */
export interface AuthQuestion {
  method: string;
  /** With its query; dot segments are resolved, as in what the backend gets. */
  path: string;
  host: string;
  scheme: "http" | "https";
  /** Of the client. */
  address: string;
  /** End-to-end fields with lower-case names, those on forwarding as the backend gets them. */
  fields: Field[];
}

export interface Field {
  name: string;
  /** Latin-1. */
  value: string;
}

export type Verdict =
  /** The request goes on with these edits, its answer with those. */
  | { type: "allow"; request: HeaderEdits; response: HeaderEdits }
  | { type: "deny"; answer: OwnAnswer }
  | { type: "failed"; reason: string };

/** The fields in text of field lines; names become lower-case. */
export function fieldsOf(lines: string): Field[] {
  return lines
    .split("\r\n")
    .filter((line) => line !== "")
    .map((line) => {
      const colon = line.indexOf(":");
      return { name: line.slice(0, colon).toLowerCase(), value: line.slice(colon + 1).trim() };
    });
}

/** Whether a verdict may set or remove a field of the request, given its lower-case name. */
export function mayEdit(name: string): boolean {
  return !UNTOUCHABLE.has(name) && name !== "authority" && !name.startsWith(":");
}
