// `kubectl apply --server-side` as a user goes through it: the real program against a real server.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bundles, officialDefinitions } from "@gatehouse/gateway-api/testing";
import { type Kubectl, kubectlFor, kubectlSkip } from "./kubectl.fixture.ts";
import { startTestServer, type TestServer } from "./testing.ts";

const container = { name: "web", image: "traefik/whoami:v1.10", env: [{ name: "A", value: "1" }] };
const deployment = (name: string, replicas: number | undefined, containers: object[] = [container]): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    ...(replicas === undefined ? {} : { replicas }),
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers } },
  },
});

const apply = ["apply", "--server-side", "-f", "-"];

interface Owned {
  metadata: {
    resourceVersion: string;
    annotations?: Record<string, string>;
    managedFields?: { manager: string; operation: string; subresource?: string }[];
  };
  spec: { replicas: number; template: { spec: { containers: { env?: object[] }[] } } };
}

describe("kubectl apply --server-side", { skip: kubectlSkip() }, () => {
  let server: TestServer;
  let kubectl: Kubectl;

  before(async () => {
    server = await startTestServer({ tls: true });
    kubectl = await kubectlFor(server);
  });
  after(async () => {
    await kubectl.close();
    await server.close();
  });

  async function get(name: string): Promise<Owned> {
    const json = await kubectl.succeeds(["get", "deployment", name, "-o", "json", "--show-managed-fields"]);
    return JSON.parse(json) as Owned;
  }
  const ownersOf = ({ metadata }: Owned): string[] =>
    (metadata.managedFields ?? []).map(({ manager, operation, subresource }) =>
      [operation, manager, ...(subresource ? [subresource] : [])].join(" "),
    );

  test("makes a Deployment; the same again says so, and changes nothing", async () => {
    assert.equal(await kubectl.succeeds(apply, deployment("web", 2)), "deployment.apps/web serverside-applied");
    const first = await get("web");
    assert.deepEqual(ownersOf(first), ["Apply kubectl"]);
    assert.equal(await kubectl.succeeds(apply, deployment("web", 2)), "deployment.apps/web serverside-applied");
    assert.deepEqual(await get("web"), first);
    const hidden = await kubectl.succeeds(["get", "deployment", "web", "-o", "yaml"]);
    assert.doesNotMatch(hidden, /managedFields/);
  });

  test("is told of whoever scaled in between, and takes over with --force-conflicts", async () => {
    await kubectl.succeeds(apply, deployment("scaled", 2));
    await kubectl.succeeds(["scale", "deployment", "scaled", "--replicas=5"]);
    assert.deepEqual(ownersOf(await get("scaled")), ["Apply kubectl", "Update kubectl scale"]);
    const { code, stderr } = await kubectl.run(apply, deployment("scaled", 2));
    assert.equal(code, 1);
    const conflict =
      'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas';
    assert.ok(stderr.startsWith(`error: ${conflict}\nPlease review the fields above`), stderr);
    assert.equal((await get("scaled")).spec.replicas, 5);
    await kubectl.succeeds([...apply, "--force-conflicts"], deployment("scaled", 2));
    const forced = await get("scaled");
    assert.deepEqual([forced.spec.replicas, ownersOf(forced)], [2, ["Apply kubectl"]]);
  });

  test("removes a field that is no longer said, and leaves the one that somebody else has", async () => {
    await kubectl.succeeds(apply, deployment("trimmed", 3));
    await kubectl.succeeds([...apply, "--field-manager=other"], deployment("trimmed", 3));
    const { env: _env, ...bare } = container;
    await kubectl.succeeds([...apply, "--field-manager=other"], deployment("trimmed", undefined, [bare]));
    const shared = await get("trimmed");
    assert.deepEqual([shared.spec.replicas, shared.spec.template.spec.containers[0]?.env], [3, container.env]);
    await kubectl.succeeds(apply, deployment("trimmed", undefined, [bare]));
    const left = await get("trimmed");
    // Nobody wants a number of replicas any more: the default does.
    assert.deepEqual([left.spec.replicas, left.spec.template.spec.containers[0]?.env], [1, undefined]);
  });

  test("refuses a field that the type does not have", async () => {
    const { code, stderr } = await kubectl.run(apply, deployment("typo", 1, [{ ...container, imge: "x" }]));
    assert.equal(code, 1);
    assert.match(
      stderr,
      /\(default\/typo; apps\/v1, Kind=Deployment\): .*containers\[name="web"\]\.imge: field not declared in schema/,
    );
  });

  test("--dry-run=server and diff show what would be, and leave what is", async () => {
    await kubectl.succeeds(apply, deployment("tried", 1));
    const dry = [...apply, "--dry-run=server"];
    assert.match(await kubectl.succeeds(dry, deployment("tried", 4)), /serverside-applied \(server dry run\)$/);
    const { code, stdout } = await kubectl.run(["diff", "--server-side", "-f", "-"], deployment("tried", 4));
    assert.equal(code, 1);
    assert.match(stdout, /-  replicas: 1\n\+  replicas: 4/);
    assert.equal((await get("tried")).spec.replicas, 1);
  });

  test("takes over what client-side apply has made, with its annotation", async () => {
    await kubectl.succeeds(["apply", "-f", "-"], deployment("upgraded", 2));
    assert.deepEqual(ownersOf(await get("upgraded")), ["Update kubectl-client-side-apply"]);
    await kubectl.succeeds(apply, deployment("upgraded", 3));
    const upgraded = await get("upgraded");
    assert.equal(upgraded.spec.replicas, 3);
    assert.deepEqual(ownersOf(upgraded), ["Apply kubectl", "Apply kubectl-last-applied"]);
    const shown = await kubectl.succeeds(["apply", "view-last-applied", "deployment/upgraded"]);
    assert.match(shown, /replicas: 3/);
    const { env: _env, ...bare } = container;
    await kubectl.succeeds(apply, deployment("upgraded", 3, [bare]));
    assert.equal((await get("upgraded")).spec.template.spec.containers[0]?.env, undefined);
    // And back: the annotation is still a sound base.
    await kubectl.succeeds(["apply", "-f", "-"], deployment("upgraded", 1, [bare]));
    assert.equal((await get("upgraded")).spec.replicas, 1);
  });

  for (const bundle of bundles) {
    const { skip, crds } = officialDefinitions(bundle);
    test(
      `installs the official Gateway API ${bundle.version} ${bundle.channel}, again and again`,
      { skip },
      async () => {
        const versions = ["get", "crds", "-o", "jsonpath={.items[*].metadata.resourceVersion}"];
        const lines = (await kubectl.succeeds(apply, ...crds())).split("\n");
        assert.equal(lines.length, crds().length);
        for (const line of lines)
          assert.match(line, /^customresourcedefinition\.apiextensions\.k8s\.io\/\S+ serverside-applied$/);
        const before = await kubectl.succeeds(versions);
        await kubectl.succeeds(apply, ...crds());
        assert.equal(await kubectl.succeeds(versions), before);
        await kubectl.succeeds(["wait", "crd", "--all", "--for=condition=Established", "--timeout=30s"]);
      },
    );
  }
});
