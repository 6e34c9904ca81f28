// Where helm is, for the tests that drive a cluster with it. Nothing is built here: test/tools/helm is what builds one.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { findProgram } from "../system/test-cluster.ts";

export interface FoundHelm {
  /** Path of the program; empty when there is none. */
  program: string;
  /** Why tests are skipped, or false. */
  skip: string | false;
}

/** The helm (3 or 4) that GATEHOUSE_TEST_HELM names, else the one in PATH. */
export function findHelm(): FoundHelm {
  const named = process.env.GATEHOUSE_TEST_HELM;
  if (named) {
    return existsSync(named)
      ? { program: named, skip: false }
      : { program: "", skip: `GATEHOUSE_TEST_HELM names ${named}, which does not exist` };
  }
  const program = findProgram("helm");
  return program ? { program, skip: false } : { program: "", skip: "helm is not installed" };
}

/** 3 or 4. Throws when the program does not run. */
export function helmMajor({ program }: FoundHelm): number {
  const text = execFileSync(program, ["version", "--template", "{{.Version}}"], { encoding: "utf8" });
  return Number(/^v(\d+)/.exec(text)?.[1] ?? NaN);
}
