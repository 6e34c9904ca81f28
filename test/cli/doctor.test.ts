// `gatehouse doctor` as a process on machines made of stand-in tools: what it prints and how it ends.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CliResult, startCli } from "./run-cli.ts";

interface Verdict {
  cluster: string;
  ready: boolean;
  findings: { id: string; level: string; message: string; remedy?: string; neededFor: string[] }[];
}

const skip = process.platform === "win32" && "the stand-ins are shell scripts";
let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), "doctor-"));
});
after(() => rmSync(directory, { recursive: true, force: true }));

/** No tools but these shell scripts, an empty home, no proxies. */
function doctor(args: string[], tools: Record<string, string> = {}): Promise<CliResult> {
  const path = mkdtempSync(join(directory, "path-"));
  for (const [name, body] of Object.entries(tools)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  return startCli(["doctor", ...args], { PATH: path, HOME: directory }).done;
}

const info = JSON.stringify({
  ServerVersion: "28.2.2",
  OperatingSystem: "Docker Desktop",
  CgroupVersion: "2",
  NCPU: 4,
});
const working = {
  kind: "echo kind v0.30.0 go1.24.6 linux/amd64",
  helm: "echo v3.19.0+g3d8990f",
  kubectl: `echo '{"clientVersion":{"gitVersion":"v1.34.1"}}'`,
  docker: `case $1 in
    -v) echo 'Docker version 28.2.2, build e6534b4' ;;
    info) echo '${info}' ;;
    context) echo unix:///var/run/docker.sock ;;
  esac`,
};
const down = `case $1 in
  -v) echo 'Docker version 28.2.2, build e6534b4' ;;
  *) echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2; exit 1 ;;
esac`;

test("without any tool the embedded cluster is fine, and the rest is said", { skip }, async () => {
  const { stdout, stderr, code } = await doctor(["--http-port", "0", "--https-port", "0"]);
  assert.equal(stderr, "");
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^ ✓ Node\.js: version /m);
  assert.match(stdout, /^ ! Docker: found neither docker nor podman nor nerdctl in PATH \[kind\]\n {5}\S/m);
  assert.match(stdout, /^embedded: nothing stands in the way/m);
  assert.match(stdout, /^kind: 3 problems in the way \(kind, helm, Docker\)/m);
  assert.match(stdout, /^context: 1 problem in the way \(helm\)/m);
  assert.ok(!stdout.includes("\u001b"), "no colours into a pipe");
});

test("the same machine is none for kind: exit code 1", { skip }, async () => {
  const { stdout, code } = await doctor(["--cluster", "kind"], { ...working, docker: down });
  assert.equal(code, 1);
  assert.match(stdout, /^ ✗ Docker: Cannot connect to the Docker daemon at unix:\/\/\/var\/run\/docker\.sock\./m);
  assert.match(stdout, /\nkind: 1 problem in the way \(Docker\)[^\n]*\n$/);
  assert.doesNotMatch(stdout, /^embedded:/m);
});

test("as data, of a machine that is ready for kind", { skip }, async () => {
  const args = ["--cluster", "kind", "--http-port", "0", "--https-port", "0", "-o", "json"];
  const { stdout, code } = await doctor(args, working);
  const verdict = JSON.parse(stdout) as Verdict;
  assert.deepEqual([verdict.cluster, verdict.ready, code], ["kind", true, 0], stdout);
  const levels = Object.fromEntries(verdict.findings.map(({ id, level }) => [id, level]));
  for (const id of [
    "docker-daemon",
    "kind-version",
    "helm-version",
    "kubectl-version",
    "port-80",
    "port-443",
    "cgroup",
  ]) {
    assert.equal(levels[id], "ok", id);
  }
  assert.equal(levels["inotify-watches"], "skipped", "a virtual machine has limits of its own");
  assert.ok(verdict.findings.every(({ neededFor }) => neededFor.includes("kind")));
});

test("a port that is asked for and held is a problem, with its holder", { skip }, async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { stdout, code } = await doctor(["--http-port", String(port), "--https-port", "0", "-o", "json"]);
  const verdict = JSON.parse(stdout) as Verdict;
  assert.deepEqual([verdict.cluster, verdict.ready, code], ["embedded", false, 1]);
  const found = verdict.findings.find(({ id }) => id === "port-80");
  assert.equal(found?.level, "problem");
  if (process.platform === "linux") assert.ok(found?.message.includes(`(pid ${process.pid})`), found?.message);
});

test("a wrong command line is told apart from a wrong machine", async () => {
  for (const args of [
    ["--cluster", "minikube"],
    ["--http-port", "http"],
    ["-o", "yaml"],
  ]) {
    const { stdout, stderr, code } = await doctor(args);
    assert.equal(code, 2, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, /^error: /);
  }
});
