// Real clients against an embedded cluster, row by row; docs/compatibility.md is what came of it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { missing, root, run, startTestCluster, type TestCluster } from "../system/test-cluster.ts";
import { findHelm, helmMajor } from "../tools/find-helm.ts";
import { goGroups } from "./go-rows.ts";
import { helmGroup } from "./helm-rows.ts";
import { reading } from "./kubectl-reading.ts";
import { running } from "./kubectl-running.ts";
import { writing } from "./kubectl-writing.ts";
import { nodeClientGroup, nodeClientSkip } from "./node-client-rows.ts";
import { compatibilityPage, type RunGroup } from "./page.ts";
import { type Group, type Result, type Row, runRow } from "./rows.ts";

const page = join(root, "docs/compatibility.md");
const work = mkdtempSync(join(tmpdir(), "gatehouse-clients-"));
const noKubectl: string | false = process.env.GATEHOUSE_TEST_CONTEXT
  ? "GATEHOUSE_TEST_CONTEXT names a cluster"
  : missing("kubectl");
const noGo: string | false = noKubectl || missing("go") || goProblem();

/** Builds the Go clients; with Go's cache this takes a second. Why they cannot be built, or false. */
function goProblem(): string | false {
  try {
    const cwd = join(root, "test/clients/go");
    execFileSync("go", ["build", "-o", join(work, "clients"), "."], { cwd, timeout: 100_000, stdio: "pipe" });
    return false;
  } catch (error) {
    return `the Go clients could not be built (${(error as Error).message.split("\n")[0]}): go -C test/clients/go build -o /dev/null .`;
  }
}

interface Entry {
  group: RunGroup;
  /** Why it is not run here, or false. */
  skip: string | false;
}

/** Every group, each with its results once it has run. */
function entries(): Entry[] {
  const helm = findHelm();
  const major = helm.skip ? 0 : helmMajor(helm);
  const otherHelm = (wanted: number): string | false =>
    helm.skip || (major === wanted ? false : `this helm is version ${major}`);
  const entry = (group: Group, skip: string | false): Entry => ({ group, skip: noKubectl || skip });
  return [
    ...[...reading, ...writing, ...running].map((group) => entry(group, false)),
    ...[3, 4].map((wanted) => entry(helmGroup(wanted, helm.program), otherHelm(wanted))),
    ...goGroups(work).map((group) => entry(group, noGo)),
    entry(nodeClientGroup, nodeClientSkip()),
  ];
}

describe("compatibility", () => {
  const all = entries();
  let cluster: TestCluster | undefined;
  before(async () => {
    if (noKubectl) return;
    cluster = await startTestCluster();
  });
  after(async () => {
    await cluster?.remove();
    rmSync(work, { recursive: true, force: true });
  });

  describe("clients", { concurrency: 3 }, () => {
    for (const [index, { group, skip }] of all.entries()) {
      test(`${group.client}: ${group.title}`, { skip: skip && `not run here: ${skip}` }, async (t) => {
        assert.ok(cluster);
        const place = await prepare(cluster, group, `compat-${index}`);
        const results = (group.results = new Map<Row, Result>());
        for (const row of group.rows) {
          await t.test(row.command, async () => {
            const result = await runRow(row, place.environment, place.directory);
            results.set(row, result);
            if (result.why !== undefined) assert.fail(result.why);
          });
        }
      });
    }
  });

  test("docs/compatibility.md says what came of it", (t) => {
    const previous = existsSync(page) ? readFileSync(page, "utf8") : "";
    const text = compatibilityPage(
      all.map(({ group }) => group),
      previous,
    );
    t.assert.fileSnapshot(text, page, { serializers: [String] });
  });
});

/** A namespace and a directory for a group, and the environment in which its commands find both. */
async function prepare(
  cluster: TestCluster,
  group: Group,
  namespace: string,
): Promise<{ directory: string; environment: NodeJS.ProcessEnv }> {
  const directory = join(work, namespace);
  mkdirSync(directory);
  for (const [name, text] of Object.entries(group.files ?? {})) writeFileSync(join(directory, name), text);
  const kubeconfig = join(work, `${namespace}.kubeconfig`);
  copyFileSync(join(cluster.home, ".kube/config"), kubeconfig);
  const environment = { ...cluster.environment, KUBECONFIG: kubeconfig, NAMESPACE: namespace, ...group.environment };
  await run("kubectl", ["create", "namespace", namespace], environment);
  await run("kubectl", ["config", "set-context", "--current", `--namespace=${namespace}`], environment);
  return { directory, environment };
}
