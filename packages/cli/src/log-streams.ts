// Reading the logs of containers and writing them out, one after the other or, when following, all at once by whole lines.

import type { IncomingMessage } from "node:http";
import { resourcePath } from "@gatehouse/apimachinery/resource-type";
import { pods } from "@gatehouse/apimachinery/types/core-v1";
import { type ClientContext, reportFailure } from "./client-context.ts";
import type { LogSource } from "./log-sources.ts";

/** Names are those of the API's query parameters. */
export interface LogParameters {
  follow?: boolean;
  previous?: boolean;
  timestamps?: boolean;
  tailLines?: number;
  sinceSeconds?: number;
  sinceTime?: string;
  limitBytes?: number;
}

/** With `prefix`, each line begins with `[pod/NAME/CONTAINER] `. A source that fails is reported, the others go on. */
export async function writeLogs(
  context: ClientContext,
  sources: readonly LogSource[],
  parameters: LogParameters,
  prefix: boolean,
): Promise<void> {
  const one = async (source: LogSource): Promise<void> => {
    try {
      const response = await open(context, source, parameters);
      await copyLines(response, prefix ? `[pod/${source.pod}/${source.container}] ` : "", (text) => context.out(text));
    } catch (error) {
      reportFailure(context, error);
    }
  };
  if (parameters.follow) await Promise.all(sources.map(one));
  else for (const source of sources) await one(source);
}

function open(
  context: ClientContext,
  { pod, namespace, container }: LogSource,
  parameters: LogParameters,
): Promise<IncomingMessage> {
  const query = new URLSearchParams({ container });
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== false) query.set(name, String(value));
  return context.client.stream({
    method: "GET",
    path: `${resourcePath(pods, namespace, pod, "log")}?${query.toString()}`,
    headers: { accept: "text/plain, application/json, */*" },
  });
}

/** Whole lines only, so that several streams never mix inside one; a last line without a newline stays without. */
export async function copyLines(
  stream: AsyncIterable<unknown> & { setEncoding(encoding: "utf8"): unknown },
  prefix: string,
  out: (text: string) => void,
): Promise<void> {
  stream.setEncoding("utf8");
  let rest = "";
  for await (const chunk of stream as AsyncIterable<string>) {
    const text = rest + chunk;
    const end = text.lastIndexOf("\n") + 1;
    rest = text.slice(end);
    if (end > 0) out(prefix === "" ? text.slice(0, end) : text.slice(0, end).replace(/^(?!$)|(?<=\n)(?=[^])/g, prefix));
  }
  if (rest !== "") out(prefix + rest);
}
