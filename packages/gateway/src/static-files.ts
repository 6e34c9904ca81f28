// Files of the dashboard: a flat directory, read per request (the page is small and rarely asked for).

import { readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { extname, join } from "node:path";

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The page may load and call only what comes from here, and nobody may frame it. */
const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-cache",
};

/** Answers with the file `name` of `directory`; false when there is none (nothing is sent then). */
export async function serveStaticFile(response: ServerResponse, directory: string, name: string): Promise<boolean> {
  const type = types[extname(name)];
  // One plain name: no separators, no dot files, so nothing outside the directory can be named.
  if (!type || !/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) return false;
  let content: Buffer;
  try {
    content = await readFile(join(directory, name));
  } catch {
    return false;
  }
  response.writeHead(200, { ...headers, "content-type": type, "content-length": content.length });
  response.end(content);
  return true;
}
