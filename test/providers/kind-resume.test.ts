// An `up --cluster kind` that was cut off, or met something on its way: what the user reads, and how the next one goes on.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually } from "../until.ts";
import { type Machine, startMachine } from "./kind-fixture.ts";

describe("an up that was cut off", () => {
  test("Ctrl-C while kind is at work: the next up makes the cluster anew", async (t) => {
    const machine = await startMachine(t);
    await interruptWhileCreating(machine);
    machine.mend("stuck");
    const up = await machine.up();
    assert.equal(up.code, 0, up.stderr);
    assert.match(up.stdout, /^ ✓ Remove what an earlier attempt left \(/m);
    assert.match(up.stdout, /^ ✓ Create the kind cluster "gatehouse": context kind-gatehouse/m);
    assert.equal(machine.containers().length, 1);
  });

  test("Ctrl-C while kind is at work: down removes what there is", async (t) => {
    const machine = await startMachine(t);
    await interruptWhileCreating(machine);
    assert.equal((await machine.down()).code, 0);
    assert.deepEqual([machine.containers(), machine.homeFiles()], [[], []]);
  });

  test("Ctrl-C while helm is at work: the release is begun anew", async (t) => {
    const machine = await startMachine(t);
    machine.fail("helm-stuck");
    const running = machine.startUp();
    // What helm has written down is what the next one has to repair.
    await eventually(() => assert.equal(machine.releases(), 1), 30_000);
    running.child.kill("SIGINT");
    const { code, stderr } = await running.done;
    assert.equal(code, 130);
    assert.match(stderr, /^error: interrupted while helm upgrade --install .* was running; run the same command again/);
    machine.mend("helm-stuck");
    const up = await machine.up();
    assert.equal(up.code, 0, up.stderr);
    assert.ok(machine.calls("helm").some((call) => call.startsWith("helm uninstall traefik --wait")));
  });

  test("the container stopped meanwhile (the machine was restarted): it is started", async (t) => {
    const machine = await startMachine(t);
    assert.equal((await machine.up()).code, 0);
    assert.equal((await machine.run("docker", "stop", "gatehouse-control-plane")).code, 0);
    machine.fail("start-port-taken", "80");
    const taken = await machine.gatehouse("up", "--cluster", "kind");
    assert.equal(taken.code, 1);
    assert.match(
      taken.stderr,
      /^error: docker start gatehouse-control-plane failed with exit code 1\n {2}\| Error response/,
    );
    assert.match(
      taken.stderr,
      /\nremedy: port 80 of this machine is taken meanwhile: free it and run it again, or gatehouse down and up with other ports\nlog: /,
    );
    machine.mend("start-port-taken");
    const up = await machine.gatehouse("up", "--cluster", "kind");
    assert.equal(up.code, 0, up.stderr);
    assert.match(up.stdout, /^ ✓ Start gatehouse-control-plane/m);
    assert.doesNotMatch(up.stdout, /Deploy whoami/, "what is in it is the user's");
  });

  test("the containers are gone (docker system prune): a whole new cluster is made", async (t) => {
    const machine = await startMachine(t);
    assert.equal((await machine.up()).code, 0);
    assert.equal((await machine.run("kind", "delete", "cluster", "--name", "gatehouse")).code, 0);
    const up = await machine.up();
    assert.equal(up.code, 0, up.stderr);
    assert.match(up.stdout, /^ ✓ Create the kind cluster "gatehouse"/m);
    assert.match(up.stdout, /^ ✓ Deploy whoami-v1 and whoami-v2/m);
  });
});

describe("what fails later", () => {
  test("the node dies while the steps go on: that is said, with the log, and the next up starts it", async (t) => {
    const machine = await startMachine(t);
    machine.fail("node-dies");
    const { code, stdout, stderr } = await machine.up();
    assert.equal(code, 1);
    assert.match(stdout, /^ ✗ Deploy whoami-v1 and whoami-v2 \(/m);
    assert.match(
      stderr,
      /^error: the API server of context "kind-gatehouse" does not answer any more \(\w+\): see whether the cluster runs, then run it again\nlog: \S+up\.log\n$/,
    );
    machine.mend("node-dies");
    const up = await machine.up();
    assert.equal(up.code, 0, up.stderr);
    assert.match(up.stdout, /^ ✓ Start gatehouse-control-plane/m);
  });

  test("ports that were chosen anew are not had by a cluster that is there: that is said", async (t) => {
    const machine = await startMachine(t);
    machine.fail("repository-unreachable");
    const first = await machine.up();
    assert.doesNotMatch(first.stdout + first.stderr, /stays as it is/);
    machine.mend("repository-unreachable");
    const note = /^ +the port mapping of a cluster that is there stays as it is: gatehouse down --cluster kind first$/m;
    const half = await machine.up("--http-port", "1234");
    assert.equal(half.code, 0, half.stderr);
    assert.match(half.stdout, note);
    assert.equal((await machine.gatehouse("stop", "--cluster", "kind")).code, 0);
    const stopped = await machine.up("--http-port", "1234");
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.match(stopped.stdout, note);
    assert.equal((await machine.gatehouse("stop", "--cluster", "kind")).code, 0);
    assert.doesNotMatch((await machine.up()).stdout, note, "its own ports are no other wish");
  });

  test("what the API server refuses is said with the log", async (t) => {
    const machine = await startMachine(t);
    machine.fail("repository-unreachable");
    await machine.up();
    machine.mend("repository-unreachable");
    // A policy of the cluster's, as a company has them.
    machine.write("policy.yaml", noDeployments);
    const policy = join(machine.home, "policy.yaml");
    const applied = await machine.gatehouse("apply", "--context", "kind-gatehouse", "-f", policy);
    assert.equal(applied.code, 0, applied.stderr);
    const { code, stderr } = await machine.up();
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: deployment\S*whoami-v1\S* in namespace demo: .*no more deployments.*\nlog: \S+up\.log\n$/,
    );
  });

  test("start and down name their log, too", async (t) => {
    const machine = await startMachine(t);
    assert.equal((await machine.up()).code, 0);
    assert.equal((await machine.gatehouse("stop", "--cluster", "kind")).code, 0);
    machine.fail("start-port-taken", "80");
    const start = await machine.gatehouse("start", "--cluster", "kind");
    assert.match(start.stderr, /^error: docker start .*\n(?: {2}\| .*\n)+remedy: port 80 .*\nlog: \S+up\.log\n$/);
    machine.fail("delete-fails");
    const { code, stderr } = await machine.down();
    assert.equal(code, 1);
    const log = /\nlog: (\S+down\.log)\n$/.exec(stderr)?.[1] ?? "";
    assert.match(readFileSync(log, "utf8"), /\| \$ kind delete cluster .*\n.*\| Deleting cluster "gatehouse" \.\.\.\n/);
    machine.mend("delete-fails");
    assert.equal((await machine.down()).code, 0);
    assert.deepEqual(machine.homeFiles(), []);
  });
});

const noDeployments = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: no-deployments }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments] }
  validations: [{ expression: "false", message: no more deployments }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: no-deployments }
spec: { policyName: no-deployments, validationActions: [Deny] }
`;

async function interruptWhileCreating(machine: Machine): Promise<void> {
  machine.fail("stuck");
  const running = machine.startUp("--verbose");
  await running.until(/Starting control-plane/);
  running.child.kill("SIGINT");
  const { code, stderr } = await running.done;
  assert.equal(code, 130);
  assert.match(
    stderr,
    /^error: interrupted while kind create cluster .* was running; run the same command again to go on from here\nlog: .*\n$/,
  );
  assert.equal(machine.containers().length, 1, "half a cluster");
}
