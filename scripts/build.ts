// Builds dist/: what ships and what must start fast. Bundled JavaScript with shared chunks, next to the dashboard's page.
// Nothing here is needed to run the unit tests, which run the TypeScript sources as they are.

import { build } from "esbuild";
import { cpSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtinModules } from "./builtin-modules.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const output = join(root, "dist");

/** Output path without extension -> source file. */
const programs = {
  gatehouse: "packages/cli/src/main.ts",
  cluster: "packages/cli/src/providers/embedded/cluster-main.ts",
  "images/whoami": "packages/kubelet/src/images/whoami.ts",
  "images/echo-basic": "packages/kubelet/src/images/echo-basic.ts",
  "images/traefik": "packages/cli/src/images/traefik.ts",
  "images/traefik-binary": "packages/cli/src/images/traefik-binary.ts",
};

async function main(): Promise<void> {
  const started = new Date();
  // Old chunks stay: a cluster started from an earlier build may still import them.
  await Promise.all([buildPrograms(), buildDashboard()]);
  // Dated at the start: a source changed during the build is newer and builds again next time.
  const stamp = join(output, ".stamp");
  writeFileSync(stamp, "");
  utimesSync(stamp, started, started);
}

async function buildPrograms(): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: programs,
    outdir: output,
    bundle: true,
    platform: "node",
    target: "node22.18",
    format: "esm",
    splitting: true,
    // Under "node" this library offers CommonJS only, which neither splits nor shakes; its ES modules are the same code.
    alias: { yaml: join(root, "node_modules/yaml/browser/index.js") },
    chunkNames: "[name]-[hash]",
    minifySyntax: true,
    legalComments: "none",
    logLevel: "warning",
    plugins: [builtinModules],
    // Some libraries still call require() for Node's own modules.
    banner: {
      js: 'const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);',
    },
  });
  writeFileSync(join(output, "package.json"), '{ "type": "module" }\n');
}

async function buildDashboard(): Promise<void> {
  const page = join(root, "packages/dashboard/src/page");
  const target = join(output, "dashboard");
  mkdirSync(target, { recursive: true });
  for (const file of readdirSync(page)) if (!file.endsWith(".ts")) cpSync(join(page, file), join(target, file));
  await build({
    entryPoints: [join(page, "app.ts")],
    outdir: target,
    bundle: true,
    platform: "browser",
    target: "es2022",
    format: "esm",
    minify: true,
    logLevel: "warning",
  });
}

await main();
