// What can be wrong with the file that holds the cluster's state, each in one line with the way out.

import { StatusError } from "@gatehouse/apimachinery/status-error";

const remedy =
  "restore a backup with gatehouse restore FILE --force, or begin anew with gatehouse down and gatehouse up";

/** Errors of node:sqlite carry SQLite's (extended) result code. */
const resultCode = (error: unknown): number => ((error as { errcode?: number }).errcode ?? 0) & 0xff;
const busy = new Set([5, 6]);
const corrupt = new Set([11, 26]);
const full = 13;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The file's content is not what was written. */
export function damaged(path: string, why: string, cause?: unknown): Error {
  const reason = why.replace(/^\*\*\*.*\*\*\*\s+/, "").replace(/\s+/g, " ");
  return new Error(`cluster state ${path} is damaged (${reason}): ${remedy}`, { cause });
}

/** The file is of a later version of this program, which alone knows what its rows mean. */
export function tooNew(path: string, format: number, known: number): Error {
  return new Error(
    `cluster state ${path} was written by a newer Gatehouse (format ${format}, this one reads ${known}): use that version`,
  );
}

/** Why the file cannot be opened or read. */
export function unusable(path: string, error: unknown): Error {
  const code = resultCode(error);
  if (busy.has(code)) return new Error(`cluster state ${path} is in use by another process`, { cause: error });
  if (corrupt.has(code)) return damaged(path, messageOf(error), error);
  if (isFull(error)) return new Error(`cluster state ${path} cannot be used: ${noSpace(path)}`, { cause: error });
  return new Error(`cluster state ${path} cannot be used: ${messageOf(error)}`, { cause: error });
}

/** The answer to a write that is not on disk: 507 when there is no room, 500 else. Nothing of it was kept. */
export function writeFailed(path: string, error: unknown): StatusError {
  if (isFull(error)) {
    return new StatusError({
      code: 507,
      reason: "InsufficientStorage",
      message: `the write was not stored: ${noSpace(path)}`,
    });
  }
  const message = `the write could not be stored: ${messageOf(error)}`;
  return new StatusError({ code: 500, reason: "InternalError", message });
}

/** True when the disk, a quota or a limit on file sizes leaves no room. */
export function isFull(error: unknown): boolean {
  const { code } = error as { code?: string };
  return resultCode(error) === full || code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
}

function noSpace(path: string): string {
  return `the disk is full: make room where ${path} is and try again (what is stored can still be read)`;
}
