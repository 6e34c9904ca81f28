// What clients are asked to do, as data: a command as one types it, what it must do, and what it then says.

import { run } from "../system/test-cluster.ts";

export interface Row {
  /** Run by bash in the group's directory, and shown as it is. */
  command: string;
  /** For the page: what must come of it. */
  must: string;
  /** What it prints, on either stream. */
  says: RegExp;
  /** Absent: it ends with exit code 0. `refused`: it fails, and `says` is the refusal that names what is not there. */
  ends?: "refused" | number;
}

/** Commands of one client that run one after another, in a namespace and a directory of their own. */
export interface Group {
  client: string;
  title: string;
  /** By name, written to the directory. */
  files?: Record<string, string>;
  /** Further environment. */
  environment?: Record<string, string>;
  rows: Row[];
}

/** `pass`, the refusal's words, or `FAIL` with the reason in `why`. */
export interface Result {
  outcome: string;
  why?: string;
}

export const row = (command: string, must: string, says: RegExp, code = 0): Row => ({
  command,
  must,
  says,
  ...(code === 0 ? {} : { ends: code }),
});

/** A row whose command is refused; `says` captures the words for the page. */
export const refusal = (command: string, must: string, says: RegExp): Row => ({ command, must, says, ends: "refused" });

/** Longer than anything here takes on a busy machine. */
const limitSeconds = 60;

export async function runRow(row: Row, environment: NodeJS.ProcessEnv, directory: string): Promise<Result> {
  const script = `cd "$0"; ${row.command}`;
  const limited = [String(limitSeconds), "bash", "-o", "pipefail", "-c", script, directory];
  const { code, stdout, stderr } = await run("timeout", limited, environment);
  const said = stdout + stderr;
  const found = row.says.exec(said);
  const ended = row.ends === "refused" ? code !== 0 : code === (row.ends ?? 0);
  if (found && ended) return { outcome: row.ends === "refused" ? `refused: ${(found[1] ?? found[0]).trim()}` : "pass" };
  const why = `exit code ${code}; ${found ? "" : `${String(row.says)} does not match `}what it said:\n${said}`;
  return { outcome: "FAIL", why };
}
