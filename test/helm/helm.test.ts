// The real helm (3 or 4) against an embedded cluster, which to helm is any cluster.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { DaemonSet, Deployment } from "@gatehouse/apimachinery/types/apps-v1";
import type { Pod, Service } from "@gatehouse/apimachinery/types/core-v1";
import { missing, root, run } from "../system/test-cluster.ts";
import { findHelm, helmMajor } from "../tools/find-helm.ts";
import { eventually } from "../until.ts";
import {
  asDeployment,
  besideOthers,
  chart,
  demoValues,
  type HelmCluster,
  installScaffold,
  type Release,
  settings,
  startHelmCluster,
} from "./helm-fixture.ts";

interface Revision {
  revision: number;
  status: string;
  description: string;
}

const found = findHelm();
const { program } = found;
// The demo's own gateway is taken away first: not on a cluster that somebody lent.
const skip = process.env.GATEHOUSE_TEST_CONTEXT ? "GATEHOUSE_TEST_CONTEXT names a cluster" : found.skip;

// Each test has a namespace of its own; most of the time is helm asking every other second.
describe("helm", { skip, concurrency: 3 }, () => {
  let cluster: HelmCluster;
  before(async () => {
    cluster = await startHelmCluster();
  });
  after(() => cluster?.remove());

  const history = async (release: Release): Promise<Revision[]> =>
    JSON.parse(await release.helm("history", "-o", "json")) as Revision[];
  /** The pods by name, with the restarts of their containers. */
  const podsOf = async (release: Release): Promise<string[]> =>
    (await release.objects<Pod>("pods")).map(
      ({ metadata, status }) => `${metadata.name} ${status?.containerStatuses?.[0]?.restartCount}`,
    );
  const definitions = async (): Promise<string[]> =>
    (await cluster.list("customresourcedefinitions")).map(({ metadata }) => metadata.name);
  const definition = "notes.test.gatehouse.dev";

  test("install with the demo's values serves the demo and other charts' routes, and uninstall leaves nothing", async (t) => {
    const release = cluster.release(t, "traefik");
    await release.applied("--wait");
    const gateway = ["gateway", "httproute-dashboard"].flatMap((name) => ["-f", join(root, `manifests/${name}.yaml`)]);
    const { code, stderr } = await cluster.gatehouse("apply", ...gateway);
    assert.equal(code, 0, stderr);
    const scaffold = await installScaffold(t, cluster);
    for (const [url, text] of [
      [scaffold, /^Hostname: app-/m],
      ["http://whoami.localhost/", /^Name: whoami-v1$/m],
      ["http://demo.localhost/v2", /^Name: whoami-v2$/m],
      ["http://traefik.localhost/dashboard/", /<html/],
    ] as const) {
      await eventually(async () => assert.match((await cluster.get(url)).body, text));
    }
    const [daemonSet] = await release.objects<DaemonSet>("daemonsets");
    assert.equal(daemonSet?.status?.numberReady, 1);
    assert.equal((await release.status()).info.status, "deployed");
    assert.match((await release.status()).info.notes ?? "", /traefik:v3\.6\.15 runs as DaemonSet traefik\/traefik/);

    await release.helm("uninstall", "--wait", "--timeout", "60s");
    for (const kind of ["daemonsets", "services", "serviceaccounts", "gatewayclasses", "clusterroles"]) {
      assert.deepEqual(
        (await release.objects<KubeObject>(kind)).map(({ metadata }) => metadata.name),
        [],
        kind,
      );
    }
    assert.deepEqual(await cluster.list("secrets", "-n", "traefik", "-l", "owner=helm"), []);
    // Helm waits for what it created itself; the pods follow.
    await eventually(async () => assert.deepEqual(await podsOf(release), []));
    await assert.rejects(cluster.get("http://whoami.localhost/"));
  });

  test("upgrade without a change: revision 2, no pod restarted, no generation moved", async (t) => {
    const release = cluster.release(t, "unchanged", [...besideOthers, ...asDeployment]);
    await release.applied("--wait");
    const before = await podsOf(release);
    await release.applied("--wait");
    assert.deepEqual(await podsOf(release), before);
    const [deployment] = await release.objects<Deployment>("deployments");
    assert.equal(deployment?.metadata.generation, 1);
    assert.deepEqual(
      (await history(release)).map(({ revision, status }) => [revision, status]),
      [
        [1, "superseded"],
        [2, "deployed"],
      ],
    );
  });

  test("list and get tell what is installed", async (t) => {
    const release = cluster.release(t, "told", besideOthers);
    await release.applied("--wait");
    const { stdout } = await cluster.helm(["list", "--namespace", release.namespace, "-o", "json"]);
    const [listed, ...others] = JSON.parse(stdout) as Record<string, string>[];
    assert.deepEqual(others, []);
    assert.deepEqual(
      [listed?.name, listed?.namespace, listed?.revision, listed?.status, listed?.chart, listed?.app_version],
      ["traefik", "told", "1", "deployed", "traefik-39.0.9", "v3.6.15"],
    );
    const values = JSON.parse(await release.helm("get values", "-o", "json")) as { service: { type: string } };
    assert.equal(values.service.type, "ClusterIP");
    const manifest = await release.helm("get manifest");
    for (const kind of ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Service", "DaemonSet"]) {
      assert.match(manifest, new RegExp(`^kind: ${kind}$`, "m"));
    }
  });

  test("upgrade with a change replaces the pods, rollback brings the old template back", async (t) => {
    const release = cluster.release(t, "rolled", [...besideOthers, ...asDeployment]);
    const level = async (): Promise<string | undefined> => {
      const [deployment] = await release.objects<Deployment>("deployments");
      return deployment?.spec.template.spec.containers[0]?.args?.find((flag) => flag.startsWith("--log.level="));
    };
    await release.applied("--wait");
    const [first] = await podsOf(release);
    await release.applied("--wait", "--set", "logs.general.level=DEBUG");
    assert.equal(await level(), "--log.level=DEBUG");
    assert.ok(!(await podsOf(release)).includes(first ?? ""));
    await release.helm("rollback", "1", "--wait", "--timeout", "60s");
    assert.equal(await level(), "--log.level=INFO");
    assert.deepEqual(
      (await history(release)).map(({ description }) => description),
      ["Install complete", "Upgrade complete", "Rollback to 1"],
    );
  });

  test("an image that cannot be had: --wait gives up and says so, and the next upgrade repairs", async (t) => {
    const release = cluster.release(t, "broken", [...besideOthers, ...asDeployment]);
    const failed = await release.apply("--wait", "--timeout", "2s", "--set", "image.repository=nobody/nothing");
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /context deadline exceeded|timed out waiting for the condition/);
    await eventually(async () => {
      const [pod] = await release.objects<Pod>("pods");
      const waiting = pod?.status?.containerStatuses?.[0]?.state?.waiting;
      assert.match(waiting?.reason ?? "", /^(ErrImagePull|ImagePullBackOff)$/);
    });
    assert.equal((await release.status()).info.status, "failed");
    await release.applied("--wait");
    assert.equal((await release.status()).info.status, "deployed");
    assert.deepEqual((await history(release)).at(-1)?.revision, 2);
  });

  test("a helm that was killed leaves its release pending: named by list, refused by upgrade, mended by rollback", async (t) => {
    const release = cluster.release(t, "pending", [...besideOthers, ...asDeployment]);
    await release.applied("--wait");
    const upgrade = release.arguments("--set", "image.repository=nobody/nothing", "--wait");
    const child = spawn(program, ["--kube-context", cluster.context, ...upgrade], {
      env: cluster.environment,
      stdio: "ignore",
    });
    const ended = once(child, "exit");
    await eventually(async () => assert.equal((await release.objects<Pod>("pods")).length, 2));
    child.kill("SIGKILL");
    await ended;
    assert.equal((await release.status()).info.status, "pending-upgrade");
    const { stdout } = await cluster.helm(["list", "--pending", "--short", "--namespace", release.namespace]);
    assert.equal(stdout.trim(), "traefik");
    const refused = await release.apply();
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /another operation \(install\/upgrade\/rollback\) is in progress/);
    await release.helm("rollback", "1", "--wait", "--timeout", "60s");
    await release.applied("--wait");
    assert.equal((await release.status()).info.status, "deployed");
  });

  test("the chart's definitions serve before its objects are created, and stay at uninstall", async (t) => {
    t.after(() => cluster.gatehouse("delete", "customresourcedefinition", definition));
    const release = cluster.release(t, "defined", besideOthers);
    const refused = await release.apply("--set", "note=hello");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /no matches for kind "Note" in version "test\.gatehouse\.dev\/v1"/);
    assert.deepEqual(await release.objects("serviceaccounts"), [], "nothing is installed without the definition");

    await release.applied("--skip-crds=false", "--set", "note=hello", "--wait");
    const notes = await cluster.list<KubeObject & { spec: { text: string } }>("notes", "-n", release.namespace);
    assert.deepEqual(
      notes.map(({ spec }) => spec.text),
      ["hello"],
    );
    await release.applied("--set", "note=changed");
    const [changed] = await cluster.list<KubeObject & { spec: { text: string } }>("notes", "-n", release.namespace);
    assert.equal(changed?.spec.text, "changed");
    await release.helm("uninstall", "--wait", "--timeout", "60s");
    assert.deepEqual(await cluster.list("notes", "-n", release.namespace), []);
    assert.ok((await definitions()).includes(definition));
  });

  test("what a new revision no longer has is deleted, and rollback brings it back", async (t) => {
    const release = cluster.release(t, "shrunk", besideOthers);
    await release.applied();
    await release.applied("--set", "service.enabled=false");
    assert.deepEqual(await release.objects<Service>("services"), []);
    await release.helm("rollback", "1");
    assert.equal((await release.objects<Service>("services")).length, 1);
  });

  const noConflicts = !skip && helmMajor(found) < 4 && "helm 3 applies without server-side apply";
  test("a field that somebody else has changed since is a conflict", { skip: noConflicts }, async (t) => {
    const release = cluster.release(t, "contested", [...besideOthers, ...asDeployment]);
    const replicas = async () => (await release.objects<Deployment>("deployments"))[0]?.spec.replicas;
    await release.applied("--wait");
    const [deployment] = await release.objects<Deployment>("deployments");
    assert.ok(deployment);
    const changed = { ...deployment, spec: { ...deployment.spec, replicas: 2 } };
    const applied = await cluster.gatehouseWithInput(JSON.stringify(changed), "apply", "-f", "-");
    assert.equal(applied.code, 0, applied.stderr);
    const refused = await release.apply();
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Apply failed with 1 conflict: conflict with ".*" using apps\/v1: \.spec\.replicas/);
    assert.equal(await replicas(), 2);
    await release.applied("--force-conflicts");
    assert.equal(await replicas(), 1);
  });

  test("--dry-run=server prints what would be, and changes nothing", async (t) => {
    const release = cluster.release(t, "rehearsed", besideOthers);
    const { code, stdout, stderr } = await release.apply("--dry-run=server");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^kind: DaemonSet$/m);
    assert.deepEqual(await cluster.list("secrets", "-n", release.namespace, "-l", "owner=helm"), []);
    assert.ok((await cluster.list("namespaces")).every(({ metadata }) => metadata.name !== release.namespace));
  });

  test("a Service of type LoadBalancer: --wait returns with its address, and it can become ClusterIP again", async (t) => {
    const release = cluster.release(t, "balanced", [...besideOthers, ...asDeployment]);
    await release.applied("--wait", "--set", "service.type=LoadBalancer");
    const [balanced] = await release.objects<Service>("services");
    assert.match(balanced?.status?.loadBalancer?.ingress?.[0]?.ip ?? "", /^127\.\d+\.\d+\.\d+$/);
    assert.ok(balanced?.spec.ports?.every(({ nodePort }) => nodePort !== undefined));
    await release.applied("--wait");
    const [plain] = await release.objects<Service>("services");
    assert.equal(plain?.spec.type, "ClusterIP");
    assert.ok(plain?.spec.ports?.every(({ nodePort }) => nodePort === undefined));
    assert.equal(plain?.spec.clusterIP, balanced?.spec.clusterIP);
    await eventually(async () => {
      const [settled] = await release.objects<Service>("services");
      assert.equal(settled?.status?.loadBalancer?.ingress, undefined);
    });
  });

  test("a load balancer beside the Service has an address, and not the dashboard's port", async (t) => {
    const beside = ["service.additionalServices.lb.type=LoadBalancer", "ports.web.expose.lb=true"];
    const release = cluster.release(t, "fronted", [...besideOthers, ...beside]);
    await release.applied("--wait");
    const found = await release.objects<Service>("services");
    const ports = (name: string) =>
      found.find(({ metadata }) => metadata.name === name)?.spec.ports?.map(({ port }) => port);
    assert.deepEqual([ports("traefik"), ports("traefik-lb")], [[9000, 80, 443], [80]]);
    const balanced = found.find(({ metadata }) => metadata.name === "traefik-lb");
    assert.match(balanced?.status?.loadBalancer?.ingress?.[0]?.ip ?? "", /^127\.\d+\.\d+\.\d+$/);
  });

  test("an object that is somebody else's is left alone, unless helm is told to take it", async (t) => {
    const release = cluster.release(t, "foreign", besideOthers);
    await release.applied();
    await release.helm("uninstall", "--wait", "--timeout", "60s");
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "traefik", namespace: "foreign" } };
    const created = await cluster.gatehouseWithInput(JSON.stringify(account), "apply", "-f", "-");
    assert.equal(created.code, 0, created.stderr);
    const refused = await release.apply();
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /ServiceAccount "traefik" in namespace "foreign" exists .* invalid ownership metadata/,
    );
    await release.applied("--take-ownership");
  });

  test("values of a wrong type are refused before anything is sent", async (t) => {
    const release = cluster.release(t, "mistyped", besideOthers);
    const refused = await release.apply("--set", "ports.web.port=eighty");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /values don't meet the specifications of the schema.*ports\/web\/port/s);
    assert.ok((await cluster.list("namespaces")).every(({ metadata }) => metadata.name !== release.namespace));
  });

  test("who may not write what a chart has is told so", async (t) => {
    const release = cluster.release(t, "forbidden", besideOthers);
    const refused = await release.apply("--kube-as-user", "somebody");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /secrets is forbidden: User "somebody" cannot list resource "secrets"/);
  });

  test("helm template | kubectl apply, twice", { skip: missing("kubectl") }, async (t) => {
    const namespace = "piped";
    t.after(() => cluster.gatehouse("delete", "namespace", namespace));
    const created = await cluster.kubectl("create", "namespace", namespace);
    assert.equal(created.code, 0, created.stderr);
    const kubeVersion = ["--kube-version", "1.34"];
    const values = ["--values", demoValues, ...settings(besideOthers)];
    const rendered = await cluster.helm(["template", "traefik", chart, "-n", namespace, ...kubeVersion, ...values]);
    assert.equal(rendered.code, 0, rendered.stderr);
    t.after(() => kubectlWithInput("delete", "-f", "-"));
    const kubectlWithInput = (...args: string[]) =>
      run("kubectl", ["--context", cluster.context, ...args], cluster.environment, rendered.stdout);
    const first = await kubectlWithInput("apply", "-f", "-");
    assert.equal(first.code, 0, first.stderr);
    const rollout = await cluster.kubectl("rollout", "status", "daemonset/traefik", "-n", namespace, "--timeout=60s");
    assert.equal(rollout.code, 0, rollout.stderr);
    const second = await kubectlWithInput("apply", "-f", "-");
    assert.equal(second.stdout.match(/ unchanged$/gm)?.length, 5, second.stdout);
    assert.doesNotMatch(second.stdout, / (created|configured)$/m);
  });
});
