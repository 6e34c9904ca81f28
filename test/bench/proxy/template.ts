// The configurations in configurations/, filled in.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

type Values = Record<string, string | number>;

/** A template with every `@name@` replaced; throws when there is nothing to put. */
export function render(template: string, values: Values): string {
  const text = readFileSync(join(import.meta.dirname, "configurations", `${template}.template`), "utf8");
  return text.replace(/@(\w+)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${template}: nothing to put for @${name}@`);
    return String(value);
  });
}

/** Renders into a file of the directory and returns its path. */
export function renderInto(directory: string, template: string, values: Values): string {
  const path = join(directory, template);
  writeFileSync(path, render(template, values));
  return path;
}

/** nginx as root gives its workers to `nobody`, who cannot read a temporary directory. */
export const nginxUser = process.getuid?.() === 0 ? "user root root;" : "";
