// Builds dist/: what ships and what must start fast. Bundled JavaScript with shared chunks, next to the dashboard's page.
// Nothing here is needed to run the unit tests, which run the TypeScript sources as they are.

import { build, type BuildFailure, type Message } from "esbuild";
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { builtinModules } from "./builtin-modules.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const output = join(root, "dist");
/** Directories in dist/ in which builds are at work, each ending with its process's number. */
const workPrefix = ".build-";

/** Output path without extension -> source file. */
const programs = {
  gatehouse: "packages/cli/src/main.ts",
  cluster: "packages/cli/src/providers/embedded/cluster-main.ts",
  "images/whoami": "packages/kubelet/src/images/whoami.ts",
  "images/echo-basic": "packages/kubelet/src/images/echo-basic.ts",
  "images/coredns": "packages/kubelet/src/images/coredns.ts",
  "images/busybox": "packages/kubelet/src/images/busybox.ts",
  "images/toolbox": "packages/kubelet/src/images/toolbox.ts",
  "images/traefik": "packages/cli/src/images/traefik.ts",
  "images/proxy-worker": "packages/gateway/src/worker-main.ts",
  "images/traefik-binary": "packages/cli/src/images/traefik-binary.ts",
};

async function main(): Promise<void> {
  const started = new Date();
  mkdirSync(output, { recursive: true });
  removeAbandoned();
  const work = join(output, `${workPrefix}${process.pid}`);
  try {
    mkdirSync(work);
    const parts = await Promise.allSettled([buildPrograms(work), buildDashboard(join(work, "dashboard"))]);
    const failures = parts.flatMap((part) => (part.status === "rejected" ? [part.reason as Error] : []));
    if (failures.length > 0) return fail(failures);
    publish(work, started);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Moves what was built to its place, file by file: whoever builds or starts at the same time finds whole files, and programs
 * after the chunks they import. Old chunks stay: a cluster started from an earlier build may still import them. */
function publish(work: string, started: Date): void {
  const last = new Set(Object.keys(programs).map((name) => `${name}.js`));
  const files = readdirSync(work, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(work, join(entry.parentPath, entry.name)))
    .sort((one, other) => Number(last.has(one)) - Number(last.has(other)));
  const stamp = join(output, ".stamp");
  // Cut off from here on, the next command builds again.
  rmSync(stamp, { force: true });
  for (const file of files) {
    mkdirSync(dirname(join(output, file)), { recursive: true });
    renameSync(join(work, file), join(output, file));
  }
  // Dated at the start: a source changed during the build is newer and builds again next time.
  writeFileSync(join(work, ".stamp"), "");
  utimesSync(join(work, ".stamp"), started, started);
  renameSync(join(work, ".stamp"), stamp);
}

/** Of builds that were killed. */
function removeAbandoned(): void {
  for (const name of readdirSync(output)) {
    const pid = name.startsWith(workPrefix) ? Number(name.slice(workPrefix.length)) : undefined;
    if (pid !== undefined && !isRunning(pid)) rmSync(join(output, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function buildPrograms(target: string): Promise<void> {
  const { warnings } = await build({
    absWorkingDir: root,
    entryPoints: programs,
    outdir: target,
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
    logLevel: "silent",
    plugins: [builtinModules],
    // Some libraries still call require() for Node's own modules.
    banner: {
      js: 'const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);',
    },
  });
  warnings.forEach(report("warning"));
  writeFileSync(join(target, "package.json"), '{ "type": "module" }\n');
}

async function buildDashboard(target: string): Promise<void> {
  const page = join(root, "packages/dashboard/src/page");
  mkdirSync(target, { recursive: true });
  for (const file of readdirSync(page)) if (!file.endsWith(".ts")) cpSync(join(page, file), join(target, file));
  const { warnings } = await build({
    absWorkingDir: root,
    entryPoints: [join(page, "app.ts")],
    outdir: target,
    bundle: true,
    platform: "browser",
    target: "es2022",
    format: "esm",
    minify: true,
    logLevel: "silent",
  });
  warnings.forEach(report("warning"));
}

/** One line: where, and what is wrong there. */
function report(kind: "error" | "warning"): (message: Message) => void {
  return ({ text, location }) => {
    const place = location ? `${location.file}:${location.line}:${location.column + 1}: ` : "";
    process.stderr.write(`${kind}: ${place}${text}\n`);
  };
}

function fail(failures: (Error | BuildFailure)[]): void {
  for (const failure of failures) {
    if ("errors" in failure) failure.errors.forEach(report("error"));
    else process.stderr.write(`error: ${failure.message}\n`);
  }
  process.stderr.write(
    `error: ${root} cannot be built (see above): mend that or undo the change, then try again ` +
      "(where a package is missing: remove node_modules, it is installed anew)\n",
  );
  process.exitCode = 1;
}

await main().catch((error: Error) => fail([error]));
