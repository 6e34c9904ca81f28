import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { endLeftovers } from "./processes.ts";

const skip = process.platform === "linux" ? false : "reads /proc";

/** A program that runs until it is ended, with this environment alone. */
async function program(t: TestContext, environment: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1e6)"], {
    env: environment,
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.after(() => child.kill("SIGKILL"));
  if (child.stdout) await once(child.stdout, "data");
  return child;
}

test(
  "what pods of a cluster left behind is ended, and no program of another cluster or of the user",
  { skip },
  async (t) => {
    const directory = "/nowhere/clusters/one";
    const [pod, first, other, user] = await Promise.all([
      program(t, { A: "b", HOME: `${directory}/node/pods/uid` }),
      program(t, { HOME: `${directory}/node/pods/other` }),
      program(t, { HOME: "/nowhere/clusters/one-more/node/pods/uid" }),
      program(t, { HOME: "/nowhere", NOT_HOME: `${directory}/x`, GATEHOUSE_CLUSTER_DIRECTORY: directory }),
    ]);
    const ended = Promise.all([once(pod, "exit"), once(first, "exit")]);
    await endLeftovers(directory);
    assert.deepEqual(
      (await ended).map(([, signal]) => signal as string),
      ["SIGKILL", "SIGKILL"],
    );
    assert.deepEqual(
      [other, user].map(({ exitCode, signalCode }) => exitCode ?? signalCode),
      [null, null],
    );
  },
);
