// `npm test`: types, lint and format, then the build, then every test with Node's own runner, whose summary comes last.
// Arguments choose test files or folders: `npm test -- packages/proxy`.

import { existsSync, globSync, statSync } from "node:fs";
import { join } from "node:path";
import { check } from "./check.ts";
import { root, run } from "./run-tool.ts";

const node = process.execPath;

async function main(chosen: string[]): Promise<boolean> {
  const checked = chosen.length > 0 || (await check());
  const built = await run(node, [join(root, "scripts/build.ts")]);
  if (!built) return false;
  const files = testFiles(chosen.length > 0 ? chosen : ["packages", "test"]);
  if (files.length === 0) {
    process.stderr.write(`error: no test files in ${chosen.join(", ")}\n`);
    return false;
  }
  const passed = await run(node, [
    "--disable-warning=ExperimentalWarning",
    "--test",
    "--test-timeout=120000",
    ...files,
  ]);
  if (!checked) process.stderr.write("error: types, lint or format failed (see the top)\n");
  return checked && passed;
}

function testFiles(places: string[]): string[] {
  return places.flatMap((place) => {
    const path = join(root, place);
    if (existsSync(path) && statSync(path).isFile()) return [place];
    return globSync("**/*.test.ts", { cwd: path }).map((file) => join(place, file));
  });
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
