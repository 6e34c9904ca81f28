// The user's own list of requests (`--requests FILE`): YAML or JSON, checked entry by entry.

import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { UserError } from "../user-error.ts";
import type { PlannedRequest } from "./planned-request.ts";

const fields = new Set(["name", "method", "url", "headers", "body", "times", "ignoreBody"]);
const mostTimes = 1_000;
// RFC 9110 section 5.6.2, `token`.
const token = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;
/** RFC 9110 section 5.5: visible characters, blanks and bytes above ASCII; no control characters, so no second line. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Reads FILE, or standard input for `-`. Throws a UserError (exit code 2) that names the entry and what is wrong. */
export async function readRequestFile(path: string): Promise<PlannedRequest[]> {
  let content: string;
  try {
    content = path === "-" ? await text(process.stdin) : await readFile(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "does not exist" : `cannot be read (${code ?? message})`;
    throw new UserError(`request file ${path} ${why}`, 2, { cause: error });
  }
  return parseRequests(content, path === "-" ? "standard input" : path);
}

/** A list of `{ url, name, method, headers, body, times, ignoreBody }`, of which only the URL is needed. */
export async function parseRequests(content: string, source: string): Promise<PlannedRequest[]> {
  const { parse } = await import("yaml");
  let list: unknown;
  try {
    list = parse(content);
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new UserError(`${source} is not YAML: ${line}`, 2, { cause: error });
  }
  if (!Array.isArray(list) || list.length === 0) {
    throw new UserError(`${source} must be a list of requests, e.g. "- url: http://demo.localhost/v1"`, 2);
  }
  return list.map((entry: unknown, index) => plannedRequest(entry, `${source}, request ${index + 1}`));
}

function plannedRequest(entry: unknown, where: string): PlannedRequest {
  const wrong = (what: string): never => {
    throw new UserError(`${where}: ${what}`, 2);
  };
  // The shortest form: the URL alone.
  const given = typeof entry === "string" ? { url: entry } : entry;
  if (typeof given !== "object" || given === null) return wrong("must be a URL, or a mapping with a url");
  const unknown = Object.keys(given).find((key) => !fields.has(key));
  if (unknown) wrong(`has a field "${unknown}", which is none of ${[...fields].join(", ")}`);
  const { name, method = "GET", url, headers = {}, body, times = 1, ignoreBody = false } = given as Given;
  const [, scheme = "", host = "", path = ""] =
    (typeof url === "string" && /^(https?):\/\/([^/?#\s]+)([^#\s]*)(?:#.*)?$/.exec(url)) || wrong(urlHint);
  if (!/^[\x21-\x7e]*$/.test(host + path)) wrong("url must have everything but ASCII percent-encoded");
  if (typeof method !== "string" || !token.test(method)) wrong("method must be a word such as GET");
  if (typeof times !== "number" || !Number.isInteger(times) || times < 1 || times > mostTimes) {
    wrong(`times must be a whole number from 1 to ${mostTimes}`);
  }
  if (body !== undefined && typeof body !== "string") wrong("body must be text");
  if (typeof ignoreBody !== "boolean") wrong("ignoreBody must be true or false");
  return {
    method: (method as string).toUpperCase(),
    scheme: scheme as "http" | "https",
    host,
    path: path.startsWith("/") ? path : `/${path}`,
    headers: checkedHeaders(headers, wrong),
    ...(body === undefined ? {} : { body: body as string }),
    times: times as number,
    conclusive: true,
    responseHeaders: [],
    ignoreBody: ignoreBody as boolean,
    origin: typeof name === "string" ? name : where,
    targets: {},
  };
}

const urlHint = "url must be an http:// or https:// address without blanks";

type Given = Partial<Record<"name" | "method" | "url" | "headers" | "body" | "times" | "ignoreBody", unknown>>;

function checkedHeaders(headers: unknown, wrong: (what: string) => never): Record<string, string> {
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    return wrong("headers must be a mapping of names to values");
  }
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]: [string, unknown]) => {
      if (!token.test(name)) wrong(`"${name}" is not the name of a header`);
      if (name.toLowerCase() === "host") wrong("the Host header is the one of the url");
      if (typeof value === "object" || !fieldValue.test(String(value)))
        wrong(`header ${name} must be one line of text`);
      return [name, String(value)];
    }),
  );
}
