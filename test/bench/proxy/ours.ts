// Ours as a contestant: serve.ts, built as scripts/build.ts builds what ships. Run from TypeScript, Node would keep its
// compiler in memory, and the memory rows would not be the users'.

import { build } from "esbuild";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtinModules } from "../../../scripts/builtin-modules.ts";
import { type Contestant, oursName } from "./contestant.ts";
import type { Serving } from "./serve.ts";
import { addresses, freePorts, type Stage } from "./stage.ts";
import { untilAnswers } from "./until-answers.ts";

/** `nodeOptions` are put before its program. */
export const createOurs = (nodeOptions: readonly string[]): Contestant => ({
  name: oursName,
  version: `Node ${process.version}`,
  start: async ({ stage, backend, tls }, variant) => {
    if (variant.workers > 1) throw new Error("the proxy runs in one process so far");
    const program = await bundled(stage);
    const [http = 0, https = 0] = await freePorts(2);
    const ports = { http, https };
    const accessLog = join(stage.makeDirectory("ours"), `access-${http}.log`);
    const serving: Serving = {
      addresses,
      ports,
      backend: backend.http,
      echo: backend.echo,
      accessLog,
      hosts: variant.hosts,
      ...(tls && variant.hosts === 0 ? { tls } : {}),
    };
    const args = [...nodeOptions, program, JSON.stringify(serving)];
    const started = stage.start(process.execPath, args, { cores: stage.cores.proxy });
    await untilAnswers(oursName, started, ports.http);
    return { name: oursName, variant, started, ports, accessLog };
  },
});

const bundles = new WeakMap<Stage, Promise<string>>();

/** Path of the bundle; made once. */
function bundled(stage: Stage): Promise<string> {
  const present = bundles.get(stage) ?? bundle(stage.makeDirectory("ours"));
  bundles.set(stage, present);
  return present;
}

async function bundle(directory: string): Promise<string> {
  const outfile = join(directory, "serve.js");
  await build({
    entryPoints: [join(import.meta.dirname, "serve.ts")],
    outfile,
    bundle: true,
    platform: "node",
    target: "node22.18",
    format: "esm",
    minifySyntax: true,
    logLevel: "error",
    plugins: [builtinModules],
  });
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }\n');
  return outfile;
}
