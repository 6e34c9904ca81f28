// What can go wrong with a kind cluster: what the user reads then, and that the same command goes on from there.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Fault, type Machine, startMachine } from "./kind-fixture.ts";

const image = "kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a";
const inotify = "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512";

/** Fault -> lines of kind's output (a string: whole line; a pattern: the start of a longer one), and the remedy. */
const failures: [fault: Fault, output: (string | RegExp)[], remedy: string][] = [
  [
    "image-rate-limit",
    [
      `ERROR: failed to create cluster: failed to pull image "${image}": command "docker pull ${image}" failed with error: exit status 1`,
      "Command Output: Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
    ],
    "the registry gives no more images to this address for now: docker login raises the limit, or wait and run it again",
  ],
  [
    "image-no-network",
    [
      'Command Output: Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 127.0.0.53:53: server misbehaving',
    ],
    "the node's image could not be pulled: check the network and the proxy of Docker's daemon (gatehouse doctor), then run it again",
  ],
  [
    "image-disk-full",
    ["Command Output: failed to register layer: write /usr/local/bin/kubelet: no space left on device"],
    "the disk is full: docker system df says by what, docker system prune frees it; then run it again",
  ],
  [
    "too-many-open-files",
    [
      'ERROR: failed to create cluster: could not find a log line that matches "Reached target .*Multi-User System.*|detected cgroup v1"',
    ],
    `the node did not start, most often for want of inotify instances: ${inotify}; else see https://kind.sigs.k8s.io/docs/user/known-issues/`,
  ],
  [
    "kubeadm",
    [
      /^ERROR: failed to create cluster: failed to init node with kubeadm: command "docker exec --privileged gatehouse-control-plane kubeadm init/,
      /^… \d+ more lines …$/,
      "[kubelet-check] The kubelet is not healthy after 4m0.000957386s",
      "error execution phase wait-control-plane",
    ],
    "Kubernetes did not come up in the node (memory, cgroups, disk?): gatehouse doctor, and kind's known issues at https://kind.sigs.k8s.io/docs/user/known-issues/",
  ],
];

describe("kind create cluster fails", () => {
  for (const [fault, output, remedy] of failures) {
    test(fault, async (t) => {
      const machine = await startMachine(t);
      machine.fail(fault);
      const { code, stderr, stdout } = await machine.up();
      assert.equal(code, 1);
      assert.match(stdout, /^ ✗ Create the kind cluster "gatehouse": \S.* \(\d+ ms\)\n$/m, stderr);
      assertFailure(machine, stderr, output, remedy);
      assert.equal((await machine.down()).code, 0);
      assert.deepEqual(machine.homeFiles(), []);
    });
  }

  test("port taken, as only Docker can see it: other ports are taken by the next up", async (t) => {
    const machine = await startMachine(t);
    const [http] = machine.ports;
    machine.fail("port-allocated", String(http));
    const { code, stderr } = await machine.up();
    assert.equal(code, 1);
    assertFailure(
      machine,
      stderr,
      [
        /^ERROR: failed to create cluster: command "docker run --name gatehouse-control-plane .*…$/,
        /^docker: Error response from daemon: failed to set up container networking: .* Bind for 127\.0\.0\.1:\d+ failed: port is already allocated$/,
      ],
      `port ${http} of this machine is taken: free it, or choose others with --http-port and --https-port`,
    );
    const other = await machine.up("--http-port", "0", "--https-port", "0");
    assert.equal(other.code, 0, other.stderr);
    const mapped = machine.containers()[0]?.ports.map(({ hostPort }) => hostPort) ?? [];
    assert.ok(mapped.length === 2 && !mapped.includes(http), String(mapped));
    assert.doesNotMatch(other.stdout, /Remove what an earlier attempt left/, "kind itself has tidied up");
  });

  test("a port that the user chose and that is held is refused before anything is made", async (t) => {
    const machine = await startMachine(t);
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(machine.ports[0], "127.0.0.1", resolve));
    holder.unref();
    t.after(() => holder.close());
    const { code, stderr } = await machine.up();
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`✗ port ${machine.ports[0]}: held by .*\n.*\n.*--http-port PORT`));
    assert.ok(!machine.calls("kind").some((call) => call.startsWith("kind create")));
    assert.deepEqual(machine.homeFiles(), []);
  });
});

describe("Docker does not answer", () => {
  const words: [Fault, RegExp][] = [
    ["daemon-down", /✗ Docker: Cannot connect to the Docker daemon at unix:.*\n {6}\S/],
    [
      "permission-denied",
      /✗ Docker: permission denied while trying to connect.*\n {6}sudo usermod -aG docker "\$USER"/,
    ],
  ];
  for (const [fault, words_] of words) {
    test(`up: ${fault}`, async (t) => {
      const machine = await startMachine(t);
      machine.fail(fault);
      const { code, stderr } = await machine.up();
      assert.equal(code, 1);
      assert.match(stderr, /^error: this machine is not ready \(gatehouse doctor --cluster kind shows everything\):$/m);
      assert.match(stderr, words_);
      assert.deepEqual(machine.homeFiles(), []);
    });
  }

  test("down: nothing is forgotten", async (t) => {
    const machine = await startMachine(t);
    machine.fail("kubeadm");
    await machine.up();
    machine.fail("daemon-down");
    const { code, stderr } = await machine.down();
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: docker ps .* failed with exit code 1\n {2}\| Cannot connect to the Docker daemon at unix:\S+ Is the docker daemon running\?\nremedy: Docker is not running: start it .*\nlog: .*down\.log\n$/,
    );
    assert.ok(existsSync(join(machine.home, ".gatehouse/kind/gatehouse/cluster.json")));
    machine.mend("daemon-down");
    assert.equal((await machine.down()).code, 0);
    assert.deepEqual(machine.homeFiles(), []);
  });
});

describe("Helm fails", () => {
  test("an image that nobody can pull: the pod's words are in the failure, and the next up repairs the release", async (t) => {
    const machine = await startMachine(t);
    machine.fail("chart-image", "registry.invalid/traefik:nothing");
    const { code, stderr, stdout } = await machine.up();
    assert.equal(code, 1);
    assert.match(stdout, /^ ✗ Install the gateway \(traefik\)/m);
    assert.match(stderr, /^error: helm upgrade --install traefik .* failed with exit code 1\n/);
    assert.match(stderr, /^ {2}\| Error: context deadline exceeded\nremedy: the pods did not become ready in time: /m);
    assert.match(
      stderr,
      /^not ready: .*traefik.*(ErrImagePull|ImagePullBackOff|registry\.invalid).*\nlog: .*up\.log$/m,
    );
    machine.mend("chart-image");
    const up = await machine.up();
    assert.equal(up.code, 0, up.stderr);
    assert.match(up.stdout, /^ ✓ Use the kind cluster "gatehouse" \(/m);
  });

  test("the chart's repository cannot be reached", async (t) => {
    const machine = await startMachine(t);
    machine.fail("repository-unreachable");
    const { code, stderr } = await machine.up();
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^ {2}\| Error: looks like "https:\/\/traefik\.github\.io\/charts" is not a valid chart repository or cannot be reached: .*\nremedy: the chart's repository cannot be reached: check network and proxy/m,
    );
  });
});

describe("a cluster that is not ours", () => {
  test("its name is refused, and down leaves it", async (t) => {
    const machine = await startMachine(t);
    await createByHand(machine);
    const { code, stderr } = await machine.up();
    assert.equal(code, 1);
    assert.equal(
      stderr,
      'error: there is a kind cluster "gatehouse" already that gatehouse did not make: use it with --context kind-gatehouse, choose another name with --name, or delete it with kind delete cluster --name gatehouse\n',
    );
    assert.match((await machine.down()).stdout, /No cluster "gatehouse": nothing to do\./);
    assert.equal(machine.containers().length, 1);
    assert.ok(!machine.calls("kind").some((call) => call.startsWith("kind delete")));
  });

  test("nor is one that took the place of ours", async (t) => {
    const machine = await startMachine(t);
    machine.fail("repository-unreachable");
    await machine.up();
    assert.equal((await machine.run("kind", "delete", "cluster", "--name", "gatehouse")).code, 0);
    await createByHand(machine);
    assert.match(
      (await machine.up()).stderr,
      /^error: there is a kind cluster "gatehouse" already that gatehouse did not make/,
    );
    const stop = await machine.gatehouse("stop", "--cluster", "kind");
    assert.match(stop.stderr, /^error: there is a kind cluster "gatehouse" already that gatehouse did not make/);
    const down = await machine.down();
    assert.equal(down.code, 0, down.stderr);
    assert.match(down.stdout, /kind cluster "gatehouse" is another one than gatehouse made: it stays/);
    assert.equal(machine.containers().length, 1);
    assert.ok(!existsSync(join(machine.home, ".gatehouse")));
    assert.ok(existsSync(join(machine.home, ".kube/config")));
  });
});

test("--verbose shows the tools' own lines as they come", async (t) => {
  const machine = await startMachine(t);
  machine.fail("kubeadm");
  const { stdout } = await machine.up("--verbose");
  assert.match(stdout, /^ {3}\$ kind create cluster --config \S+ --wait 3m --name gatehouse$/m);
  assert.match(stdout, /^ {3}Creating cluster "gatehouse" \.\.\.$/m);
  assert.match(stdout, /^ {4}✓ Preparing nodes/m);
});

test("--quiet says nothing but what failed", async (t) => {
  const machine = await startMachine(t);
  machine.fail("image-rate-limit");
  const { stdout, stderr } = await machine.up("--quiet");
  assert.equal(stdout, "");
  assert.match(stderr, /^error: kind create cluster /);
});

/** The whole of stderr: command and code, kind's last lines with these among them, remedy, log. */
function assertFailure(machine: Machine, stderr: string, output: (string | RegExp)[], remedy: string): void {
  const directory = join(machine.home, ".gatehouse/kind/gatehouse");
  const lines = stderr.trimEnd().split("\n");
  const config = join(directory, "kind-config.yaml");
  assert.equal(
    lines[0],
    `error: kind create cluster --config ${config} --wait 3m --name gatehouse failed with exit code 1`,
  );
  const said = lines.slice(1, -2).map((line) => {
    assert.ok(line.startsWith("  | "), line);
    return line.slice(4);
  });
  for (const expected of output) {
    const found = said.some((line) => (typeof expected === "string" ? line === expected : expected.test(line)));
    assert.ok(found, `${expected} is not in:\n${said.join("\n")}`);
  }
  assert.deepEqual(lines.slice(-2), [`remedy: ${remedy}`, `log: ${join(directory, "up.log")}`]);
}

/** With the user's own kind, as gatehouse would not do it. */
async function createByHand(machine: Machine): Promise<void> {
  const nodes = "[{role: control-plane, extraPortMappings: []}]";
  machine.write("kind.yaml", `{kind: Cluster, apiVersion: kind.x-k8s.io/v1alpha4, name: gatehouse, nodes: ${nodes}}`);
  const args = ["--config", join(machine.home, "kind.yaml"), "--wait", "1m", "--name", "gatehouse"];
  const { code, stderr } = await machine.run("kind", "create", "cluster", ...args);
  assert.equal(code, 0, stderr);
  machine.forgetCalls();
}
