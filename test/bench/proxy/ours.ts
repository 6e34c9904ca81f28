// Builds serve.ts as scripts/build.ts builds what ships: run from TypeScript, Node would keep its compiler in memory, and
// the memory rows would not be the users'.

import { build } from "esbuild";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtinModules } from "../../../scripts/builtin-modules.ts";
import type { Stage } from "./stage.ts";

const built = new WeakMap<Stage, Promise<string>>();

/** Path of the bundle; made once. */
export function buildOurs(stage: Stage): Promise<string> {
  const present = built.get(stage) ?? bundle(stage.makeDirectory("ours"));
  built.set(stage, present);
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
