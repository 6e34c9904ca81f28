// An embedded cluster with the demo's applications and routes but no gateway, and helm releases of the chart beside this
// file in namespaces of their own.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import {
  gatehouseProgram,
  root,
  run,
  type RunResult,
  startTestCluster,
  type TestCluster,
} from "../system/test-cluster.ts";
import { findHelm } from "../tools/find-helm.ts";

export const chart = join(root, "test/helm/chart");
export const demoValues = join(root, "manifests/traefik-values.yaml");

export interface ReleaseStatus {
  version: number;
  info: { status: string; description: string; notes?: string };
  config: Record<string, unknown>;
}

export interface Release {
  name: string;
  namespace: string;
  /** Of `helm upgrade --install` of the chart with the demo's values and `more` of them. */
  arguments(...more: string[]): string[];
  apply(...more: string[]): Promise<RunResult>;
  /** The same, and it has to succeed. */
  applied(...more: string[]): Promise<void>;
  /** Any command on the release; it has to succeed. */
  helm(command: string, ...more: string[]): Promise<string>;
  status(): Promise<ReleaseStatus>;
  /** The objects of a kind that the release brought, cluster-scoped ones too. */
  objects<T extends KubeObject>(kind: string): Promise<T[]>;
}

export interface HelmCluster extends TestCluster {
  helm(args: string[]): Promise<RunResult>;
  /** What is removed when the test ends. `extra` values make up for what only one release of a cluster can have. */
  release(t: TestContext, namespace: string, extra?: string[]): Release;
  /** The items of `gatehouse get`. */
  list<T extends KubeObject>(...query: string[]): Promise<T[]>;
  gatehouseWithInput(input: string, ...args: string[]): Promise<RunResult>;
}

/** Values for a release beside others: no node ports, no class of its own, ready at once. */
export const besideOthers = [
  "ports.web.hostPort=null",
  "ports.websecure.hostPort=null",
  "gatewayClass.enabled=false",
  "livenessProbe.initialDelaySeconds=0",
];

/** A Deployment that never has fewer ready pods than replicas: only with that does every helm wait for the pod. */
export const asDeployment = [
  "deployment.kind=Deployment",
  "updateStrategy.rollingUpdate.maxUnavailable=0",
  "updateStrategy.rollingUpdate.maxSurge=1",
];

export const settings = (values: string[]): string[] => values.flatMap((value) => ["--set", value]);

/** Installs the chart that `helm create` writes, with whoami as its application and a route to it. Returns its URL. */
export async function installScaffold(t: TestContext, cluster: HelmCluster): Promise<string> {
  const inNamespace = ["--namespace", "scaffold"];
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-helm-"));
  t.after(async () => {
    await cluster.helm(["uninstall", "app", ...inNamespace]);
    rmSync(directory, { recursive: true });
  });
  const folder = join(directory, "app");
  const values = [
    "image.repository=traefik/whoami",
    "image.tag=v1.11.0",
    "httpRoute.enabled=true",
    "httpRoute.parentRefs[0].name=traefik-gateway",
    "httpRoute.parentRefs[0].namespace=traefik",
    "httpRoute.parentRefs[0].sectionName=web",
    "httpRoute.hostnames[0]=app.localhost",
  ];
  const install = ["install", "app", folder, ...inNamespace, "--create-namespace", "--wait", "--timeout", "60s"];
  const created = await cluster.helm(["create", folder]);
  assert.equal(created.code, 0, created.stderr);
  assert.ok(existsSync(join(folder, "templates/httproute.yaml")), "this helm is too old to write an HTTPRoute");
  const installed = await cluster.helm([...install, ...settings(values)]);
  assert.equal(installed.code, 0, installed.stderr + installed.stdout);
  return "http://app.localhost/headers";
}

export async function startHelmCluster(): Promise<HelmCluster> {
  const cluster = await startTestCluster();
  const { program } = findHelm();
  const helm = (args: string[]) => run(program, ["--kube-context", cluster.context, ...args], cluster.environment);
  for (const gone of [
    ["gatewayclass", "traefik"],
    ["clusterrolebinding", "traefik-traefik"],
    ["clusterrole", "traefik-traefik"],
    ["namespace", "traefik"],
  ]) {
    const { code, stderr } = await cluster.gatehouse("delete", ...gone);
    assert.equal(code, 0, stderr);
  }
  const list = async <T extends KubeObject>(...query: string[]): Promise<T[]> => {
    const { code, stdout, stderr } = await cluster.gatehouse("get", ...query, "-o", "json");
    assert.equal(code, 0, stderr);
    return (JSON.parse(stdout) as { items: T[] }).items;
  };
  return {
    ...cluster,
    helm,
    list,
    gatehouseWithInput: (input, ...args) => run(gatehouseProgram, args, cluster.environment, input),
    release: (t, namespace, extra = []) => newRelease(t, { ...cluster, helm, list }, namespace, extra),
  };
}

function newRelease(
  t: TestContext,
  { helm, list, gatehouse }: Pick<HelmCluster, "helm" | "list" | "gatehouse">,
  namespace: string,
  extra: string[],
): Release {
  const name = "traefik";
  const inNamespace = ["--namespace", namespace];
  const install = ["--install", "--create-namespace", "--skip-crds", "--timeout", "60s"];
  const upgrade = ["upgrade", name, chart, ...install, "--values", demoValues];
  const release: Release = {
    name,
    namespace,
    arguments: (...more) => [...upgrade, ...inNamespace, ...settings(extra), ...more],
    apply: (...more) => helm(release.arguments(...more)),
    applied: async (...more) => {
      const { code, stdout, stderr } = await release.apply(...more);
      assert.equal(code, 0, stderr + stdout);
    },
    helm: async (command, ...more) => {
      const [verb = "", ...sub] = command.split(" ");
      const { code, stdout, stderr } = await helm([verb, ...sub, name, ...inNamespace, ...more]);
      assert.equal(code, 0, `helm ${command}: ${stderr}${stdout}`);
      return stdout;
    },
    status: async () => JSON.parse(await release.helm("status", "-o", "json")) as ReleaseStatus,
    objects: (kind) => list(kind, "-n", namespace, "-l", `app.kubernetes.io/instance=traefik-${namespace}`),
  };
  t.after(async () => {
    await helm(["uninstall", name, ...inNamespace]);
    await gatehouse("delete", "namespace", namespace, "--ignore-not-found");
  });
  return release;
}
