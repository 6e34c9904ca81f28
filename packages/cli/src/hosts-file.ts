// The optional block in the hosts file: written between two marks, replaced as a whole, removed as a whole.

import { readFileSync, writeFileSync } from "node:fs";
import { UserError } from "./user-error.ts";

export const systemHostsFile =
  process.platform === "win32" ? "C:\\Windows\\System32\\drivers\\etc\\hosts" : "/etc/hosts";

const begin = (context: string): string => `# BEGIN ${context} (written by gatehouse up, removed by gatehouse down)`;
const end = (context: string): string => `# END ${context}`;

/** `text` with the cluster's block set to these hostnames. Everything outside the block is kept to the letter. */
export function withHostsBlock(text: string, context: string, hostnames: string[]): string {
  const rest = withoutHostsBlock(text, context);
  const separator = rest === "" || rest.endsWith("\n") ? "" : "\n";
  return `${rest}${separator}${begin(context)}\n127.0.0.1 ${hostnames.join(" ")}\n${end(context)}\n`;
}

/** `text` without the cluster's block. */
export function withoutHostsBlock(text: string, context: string): string {
  const start = text.indexOf(begin(context));
  if (start < 0) return text;
  const mark = end(context);
  const stop = text.indexOf(mark, start);
  if (stop < 0) return text;
  return text.slice(0, start) + text.slice(stop + mark.length).replace(/^\r?\n/, "");
}

/** True when every hostname already stands in `text` for a loopback address, in a block of ours or not. */
export function hasHostnames(text: string, hostnames: string[]): boolean {
  const mapped = new Set(
    text
      .split("\n")
      .map((line) => line.replace(/#.*/, "").trim().split(/\s+/))
      .filter(([address]) => address === "127.0.0.1" || address === "::1")
      .flatMap((fields) => fields.slice(1)),
  );
  return hostnames.every((hostname) => mapped.has(hostname));
}

/** Rewrites the file in place (it is often a mount or a link, so no rename). Throws a UserError with the remedy. */
export function editHostsFile(path: string, edit: (text: string) => string): void {
  const text = readFileSync(path, "utf8");
  const edited = edit(text);
  if (edited === text) return;
  try {
    writeFileSync(path, edited);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new UserError(`${path} cannot be written (${code}): run with administrator rights, or use --hosts no`, 1, {
      cause: error,
    });
  }
}
