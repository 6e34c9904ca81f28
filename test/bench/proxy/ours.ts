// Ours as a contestant: serve.ts, built as scripts/build.ts builds what ships. Run from TypeScript, Node would keep its
// compiler in memory, and the memory rows would not be the users'.

import { build } from "esbuild";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gatewayNodeOptions } from "@gatehouse/cli/providers/embedded/processes";
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
      workers: variant.workers,
      workerProgram: join(dirname(program), "worker.js"),
      ...(tls && variant.hosts === 0 ? { tls } : {}),
    };
    const args = [...gatewayNodeOptions, ...nodeOptions, program, JSON.stringify(serving)];
    const started = stage.start(process.execPath, args, {
      cores: variant.workers > 1 ? stage.cores.proxies : stage.cores.proxy,
    });
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
  await build({
    entryPoints: {
      serve: join(import.meta.dirname, "serve.ts"),
      worker: fileURLToPath(import.meta.resolve("@gatehouse/gateway/worker-main")),
    },
    outdir: directory,
    bundle: true,
    platform: "node",
    target: "node22.18",
    format: "esm",
    minifySyntax: true,
    logLevel: "error",
    plugins: [builtinModules],
  });
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }\n');
  return join(directory, "serve.js");
}
