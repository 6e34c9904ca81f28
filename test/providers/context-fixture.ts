// Somebody's cluster for the tests of `--context`: an empty embedded one plays it, and real helm installs on it.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext } from "node:test";
import { gatehouseProgram, root, run, type RunResult, temporaryHome } from "../system/test-cluster.ts";
import { findHelm } from "../tools/find-helm.ts";

export const helm = findHelm();
export const context = "gatehouse";
/** A chart of our own, in place of the official one. */
export const chart = join(root, "test/helm/chart");

export interface SomebodysCluster {
  home: string;
  environment: NodeJS.ProcessEnv;
  gatehouse: (...args: string[]) => Promise<RunResult>;
  /** The same to its end with exit code 0; resolves with its standard output. */
  succeed: (...args: string[]) => Promise<string>;
  /** `up --context` without the network, with `chart`. */
  up: (...more: string[]) => Promise<RunResult>;
  /** The same with another chart. */
  upWith: (otherChart: string, ...more: string[]) => Promise<RunResult>;
  /** Takes the demo off, with the definitions. */
  down: () => Promise<void>;
  apply: (text: string) => Promise<void>;
  /** As `kubectl get ... -o name`. */
  names: (...query: string[]) => Promise<string[]>;
  /** In the namespace of the gateway. */
  runHelm: (...args: string[]) => Promise<RunResult>;
}

/** One for all tests of the suite in which it is called. */
export function somebodysCluster(): SomebodysCluster {
  const { home, environment: withoutHelm } = temporaryHome();
  const programs = mkdtempSync(join(tmpdir(), "gatehouse-test-"));
  const environment = { ...withoutHelm, PATH: `${programs}:${withoutHelm.PATH}` };
  const gatehouse = (...args: string[]): Promise<RunResult> => run(gatehouseProgram, args, environment);
  const succeed = async (...args: string[]): Promise<string> => {
    const result = await gatehouse(...args);
    assert.equal(result.code, 0, `gatehouse ${args.join(" ")}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  };
  const upWith = (otherChart: string, ...more: string[]): Promise<RunResult> =>
    gatehouse("up", "--context", context, "--gateway-api-crds", "bundled", "--chart", otherChart, ...more);
  before(async () => {
    symlinkSync(helm.program, join(programs, "helm"));
    await succeed("up", "--bare", "--http-port", "0", "--https-port", "0", "--quiet");
  });
  after(async () => {
    await gatehouse("down");
    rmSync(home, { recursive: true, force: true });
    rmSync(programs, { recursive: true, force: true });
  });
  return {
    home,
    environment,
    gatehouse,
    succeed,
    up: (...more) => upWith(chart, ...more),
    upWith,
    down: async () => void (await succeed("down", "--context", context, "--crds", "delete")),
    apply: async (text) => {
      const result = await run(gatehouseProgram, ["apply", "--context", context, "-f", "-"], environment, text);
      assert.equal(result.code, 0, result.stderr);
    },
    names: async (...query) => {
      const text = await succeed("get", ...query, "--context", context, "-o", "name");
      return text.split("\n").filter((line) => line !== "");
    },
    runHelm: (...args) =>
      run(helm.program, [...args, "--namespace", "traefik", "--kube-context", context], environment),
  };
}

/** To be changed. */
export function copyOfChart(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-test-"));
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync(chart, directory, { recursive: true });
  return directory;
}
