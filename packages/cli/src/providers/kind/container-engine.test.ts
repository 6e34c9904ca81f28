import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { engineProgram } from "./container-engine.ts";

const cases: [name: string, present: string[], wanted: string | undefined, expected: string][] = [
  ["Docker where it is", ["podman", "docker"], undefined, "docker"],
  ["else nerdctl", ["podman", "nerdctl"], undefined, "nerdctl"],
  ["else Podman", ["podman"], undefined, "podman"],
  ["Docker's absence is what is complained about", [], undefined, "docker"],
  ["the one that was asked for", ["docker"], "podman", "podman"],
  ["kind ignores what it does not know", ["docker"], "rocket", "docker"],
];
for (const [name, present, wanted, expected] of cases) {
  test(`kind's engine: ${name}`, (t) => {
    const directory = mkdtempSync(join(tmpdir(), "gatehouse-engine-"));
    t.after(() => rmSync(directory, { recursive: true }));
    for (const program of present) writeFileSync(join(directory, program), "", { mode: 0o755 });
    const environment = { PATH: ["/nonexistent", directory].join(delimiter) };
    assert.equal(
      engineProgram(wanted === undefined ? environment : { ...environment, KIND_EXPERIMENTAL_PROVIDER: wanted }),
      expected,
    );
  });
}
