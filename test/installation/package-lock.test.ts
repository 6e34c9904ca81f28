// What a fresh clone installs from: `npm ci` refuses a package-lock.json that lacks an entry for any platform's package.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

interface LockedPackage {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

test("package-lock.json has an entry for every package it names, those of other platforms too", () => {
  const text = readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8");
  const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> };
  const missing = Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.entries({ ...dependencies, ...optionalDependencies })
      .filter(([name]) => !places(path, name).some((place) => place in packages))
      .map(([name, version]) => `${path || "the root"} needs ${name} ${version}`),
  );
  assert.deepEqual(missing, []);
});

/** Where Node would look for a package from another one: its own node_modules folder, then those of the folders above. */
function places(from: string, name: string): string[] {
  const folders = [`node_modules/${name}`];
  for (let path = from; path !== ""; path = path.slice(0, Math.max(path.lastIndexOf("/"), 0)))
    folders.push(`${path}/node_modules/${name}`);
  return folders;
}
