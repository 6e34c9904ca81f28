// What all proxies forward to, on the load generator's core: nginx with answers from memory, and an echo for WebSockets.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectionLimit, findProgram, freePorts, type Stage } from "./stage.ts";
import { nginxUser, renderInto } from "./template.ts";
import { untilAnswers } from "./until-answers.ts";

/** On 127.0.0.1. */
export interface BackendPorts {
  http: number;
  /** WebSockets. */
  echo: number;
}

/** The body of small answers. */
const small = "x".repeat(128);

export async function startBackend(stage: Stage): Promise<BackendPorts> {
  const program = findProgram("nginx");
  if (program === undefined) throw new Error("nginx is the backend of this bench: install it (Debian: nginx-light)");
  const directory = stage.makeDirectory("backend");
  stage.makeDirectory("backend", "large");
  writeFileSync(join(directory, "large", "1m"), Buffer.alloc(2 ** 20, "x"));
  writeFileSync(join(directory, "large", "up"), "");
  const [http = 0, echo = 0] = await freePorts(2);
  const path = renderInto(directory, "backend.conf", {
    directory,
    descriptors: 2 * connectionLimit,
    user: nginxUser,
    port: http,
    small,
  });
  const started = stage.start(program, ["-p", directory, "-c", path], { cores: stage.cores.load });
  stage.start(process.execPath, [join(import.meta.dirname, "echo-server.ts"), String(echo)], {
    cores: stage.cores.load,
  });
  await untilAnswers("the backend", started, http);
  return { http, echo };
}
