// The stand-ins speak as the real programs do, wherever those can be asked without a Docker daemon.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { parse, stringify } from "yaml";
import { findProgram, run, type RunResult } from "../system/test-cluster.ts";
import { type Fault, type Machine, startMachine } from "./kind-fixture.ts";

/** Words of other versions differ: only the line that the stand-in plays is compared. */
function realProgram(name: string, versionFlag: string, line: RegExp): { program: string; skip: string | false } {
  const program = process.env[`GATEHOUSE_TEST_${name.toUpperCase()}`] ?? findProgram(name) ?? "";
  if (program === "") return { program, skip: `${name} is not installed` };
  const { stdout } = spawnSync(program, [versionFlag], { encoding: "utf8" });
  return { program, skip: line.test(stdout) ? false : `another ${name} than the stand-in plays: ${stdout.trim()}` };
}

const docker = realProgram("docker", "-v", /^Docker version 28\./);
const kind = realProgram("kind", "version", /^kind v0\.30\./);

describe("the stand-in for docker", { skip: docker.skip }, () => {
  const label = "label=io.x-k8s.kind.cluster=x";
  const calls: string[][] = [
    ["info", "--format", "{{json .}}"],
    ["ps", "--format", "{{json .}}"],
    ["ps", "--all", "--filter", label, "--format", "{{.Names}}\t{{.Status}}"],
    ["inspect", "--format", "{{range .Mounts}}{{.Source}} {{.Destination}} {{end}}", "x-control-plane"],
    ["start", "x-control-plane"],
    ["stop", "x-control-plane"],
  ];
  for (const args of calls) {
    test(`without a daemon: docker ${args.join(" ")}`, async (t) => {
      const machine = await startMachine(t);
      machine.fail("daemon-down");
      const nowhere = { ...machine.environment, DOCKER_HOST: "unix:///nonexistent/docker.sock" };
      const real = await run(docker.program, args, nowhere);
      const played = await machine.run("docker", ...args);
      const message = real.stderr.replaceAll("unix:///nonexistent/docker.sock", "unix:///var/run/docker.sock");
      assert.deepEqual([played.code, played.stderr], [real.code, message]);
    });
  }

  test("without a daemon the endpoint is known all the same", async (t) => {
    const machine = await startMachine(t);
    const args = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"];
    const real = await run(docker.program, args, {
      ...machine.environment,
      DOCKER_HOST: "unix:///var/run/docker.sock",
    });
    assert.deepEqual(await machine.run("docker", ...args), real);
  });
});

describe("the stand-in for kind", { skip: kind.skip }, () => {
  const cases: [name: string, args: string[], fault?: Fault][] = [
    ["no clusters", ["get", "clusters"]],
    ["no clusters, for want of a daemon", ["get", "clusters"], "daemon-down"],
    ["nothing to delete", ["delete", "cluster", "--name", "x"]],
    ["no daemon to delete with", ["delete", "cluster", "--name", "x"], "daemon-down"],
    ["nothing to export", ["export", "kubeconfig", "--name", "x"]],
    ["no daemon to export with", ["export", "kubeconfig", "--name", "x"], "daemon-down"],
    [
      "no daemon to create with",
      ["create", "cluster", "--config", "CONFIG", "--wait", "3m", "--name", "x"],
      "daemon-down",
    ],
  ];
  for (const [name, args, fault] of cases) {
    test(name, async (t) => {
      const machine = await startMachine(t);
      if (fault) machine.fail(fault);
      const [played, real] = await both(machine, args);
      assert.deepEqual(played, real);
    });
  }

  test("the name is taken", async (t) => {
    const machine = await startMachine(t);
    playContainer(machine);
    const [played, real] = await both(machine, [
      "create",
      "cluster",
      "--config",
      "CONFIG",
      "--wait",
      "3m",
      "--name",
      "x",
    ]);
    assert.match(played.stderr, /already exist for a cluster with the name "x"/);
    assert.deepEqual(played, real);
  });

  test("the clusters' names", async (t) => {
    const machine = await startMachine(t);
    playContainer(machine);
    const [played, real] = await both(machine, ["get", "clusters"]);
    assert.equal(played.stdout, "x\n");
    assert.deepEqual(played, real);
  });

  test("deleting takes the context out of the kubeconfig, and leaves the file", async (t) => {
    const entry = (name: string) => ({ name, context: { cluster: name, user: name } });
    const contexts = [entry("mine"), entry("kind-x")];
    const left: unknown[] = [];
    for (const program of ["kind", "real-kind"]) {
      const machine = await startMachine(t);
      linkReal(machine);
      const kubeconfig = join(machine.home, "kubeconfig");
      machine.environment.KUBECONFIG = kubeconfig;
      machine.write(
        "kubeconfig",
        stringify({ apiVersion: "v1", kind: "Config", contexts, "current-context": "kind-x" }),
      );
      assert.equal((await machine.run(program, "delete", "cluster", "--name", "x")).code, 0);
      left.push(parse(readFileSync(kubeconfig, "utf8")));
    }
    assert.deepEqual(left[0], { apiVersion: "v1", kind: "Config", contexts: [entry("mine")] });
    assert.deepEqual(left[0], left[1]);
  });
});

/** The stand-in's answer and the real one's, whose docker is the stand-in. */
async function both(machine: Machine, args: string[]): Promise<[played: RunResult, real: RunResult]> {
  linkReal(machine);
  const config = join(machine.home, "kind.yaml");
  const node = "{role: control-plane, extraPortMappings: []}";
  writeFileSync(config, `{kind: Cluster, apiVersion: kind.x-k8s.io/v1alpha4, name: x, nodes: [${node}]}`);
  const words = args.map((word) => (word === "CONFIG" ? config : word));
  return [await machine.run("kind", ...words), await machine.run("real-kind", ...words)];
}

function linkReal({ environment }: Machine): void {
  const [standIns = ""] = (environment.PATH ?? "").split(delimiter);
  const link = join(standIns, "real-kind");
  if (!existsSync(link)) symlinkSync(kind.program, link);
}

/** A container of cluster x in the pretended Docker, with nothing in it. */
function playContainer({ environment }: Machine): void {
  const path = join(environment.GATEHOUSE_FAKE_ENGINE ?? "", "containers");
  mkdirSync(path);
  const container = { id: "0".repeat(64), name: "x-control-plane", cluster: "x", status: "Created", ports: [] };
  writeFileSync(join(path, container.name), JSON.stringify(container));
}
