import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { startTestServer } from "@gatehouse/apiserver/testing";
import { customResourceDefinitions as definitionsOf } from "@gatehouse/gateway-api/custom-resource-definitions";
import { carries } from "../apply-objects.ts";
import { installedMark } from "../installed-mark.ts";
import type { Step } from "../progress.ts";
import { customResourceDefinitions } from "../well-known-types.ts";
import { installDefinitions } from "./definitions.ts";

const bundleVersion = "gateway.networking.k8s.io/bundle-version";
const source = { kind: "bundled", bundle: { version: "v1.4.0", channel: "standard" } } as const;

interface Outcome {
  asked: string[];
  /** The step's last word. */
  detail: string;
}

/** Installs v1.4.0 (standard channel); the question is answered so, while the step is paused. */
async function install(client: ApiClient, answer: boolean): Promise<Outcome> {
  const outcome: Outcome = { asked: [], detail: "" };
  let paused = false;
  const step: Step = {
    detail: (text) => void (outcome.detail = text),
    output: () => {},
    pause: async (work) => {
      paused = true;
      const result = await work();
      paused = false;
      return result;
    },
  };
  const decide = (question: string): Promise<boolean> => {
    assert.ok(paused, "nothing is drawn over the question");
    outcome.asked.push(question);
    return Promise.resolve(answer);
  };
  await installDefinitions(client, { source, decide }, step);
  return outcome;
}

async function clusterWith(t: TestContext, definitions: KubeObject[]): Promise<ApiClient> {
  const cluster = await startTestServer();
  t.after(() => cluster.close());
  const client = await cluster.client();
  for (const definition of definitions) await client.create(customResourceDefinitions, definition);
  return client;
}

const present = async (client: ApiClient): Promise<KubeObject[]> =>
  (await client.list(customResourceDefinitions)).items;
const versions = async (client: ApiClient): Promise<string[]> => [
  ...new Set((await present(client)).map(({ metadata }) => metadata.annotations?.[bundleVersion] ?? "")),
];

test("an empty cluster gets them without a question, marked as ours; a second time nothing is written", async (t) => {
  const client = await clusterWith(t, []);
  assert.deepEqual(await install(client, false), { asked: [], detail: "v1.4.0 (standard channel)" });
  const first = await present(client);
  assert.equal(first.length, definitionsOf(source.bundle).length);
  assert.ok(first.every((definition) => carries(definition, installedMark)));
  assert.match((await install(client, false)).detail, /are there already$/);
  assert.deepEqual(await present(client), first);
});

const theirs: [what: string, definitions: KubeObject[], found: string][] = [
  ["newer ones", definitionsOf({ version: "v1.6.1", channel: "standard" }), "v1.6.1 (standard channel)"],
  [
    "ones of the other channel",
    definitionsOf({ version: "v1.4.0", channel: "experimental" }),
    "v1.4.0 (experimental channel)",
  ],
  [
    "older ones that others installed",
    definitionsOf(source.bundle).map((each) => ({
      ...each,
      metadata: { ...each.metadata, annotations: { ...each.metadata.annotations, [bundleVersion]: "v1.2.0" } },
    })),
    "v1.2.0 (standard channel)",
  ],
];
for (const [what, definitions, found] of theirs) {
  const question = `This cluster has Gateway API definitions ${found}. Replace them by v1.4.0 (standard channel)? Routes that use what only they have would lose it.`;

  test(`${what}: asked, and left as they are at a no`, async (t) => {
    const client = await clusterWith(t, definitions);
    const before = await present(client);
    const { asked, detail } = await install(client, false);
    assert.deepEqual(asked, [question]);
    assert.equal(detail, `kept ${found}, which this cluster has`);
    assert.deepEqual(await present(client), before);
  });

  test(`${what}: replaced at a yes, and still not ours to remove`, async (t) => {
    const client = await clusterWith(t, definitions);
    assert.deepEqual((await install(client, true)).asked, [question]);
    const after = await present(client);
    const wanted = new Set(definitionsOf(source.bundle).map(({ metadata }) => metadata.name));
    const replaced = after.filter(({ metadata }) => wanted.has(metadata.name));
    assert.equal(replaced.length, wanted.size);
    assert.ok(replaced.every(({ metadata }) => metadata.annotations?.[bundleVersion] === "v1.4.0"));
    const old = new Set(definitions.map(({ metadata }) => metadata.name));
    assert.ok(after.every((each) => !old.has(each.metadata.name) || !carries(each, installedMark)));
  });
}

test("older ones from here are renewed without a question", async (t) => {
  const older = (each: KubeObject): KubeObject => ({
    ...each,
    metadata: {
      ...each.metadata,
      labels: installedMark,
      annotations: { ...each.metadata.annotations, [bundleVersion]: "v1.3.0" },
    },
  });
  const client = await clusterWith(t, definitionsOf(source.bundle).map(older));
  assert.deepEqual((await install(client, false)).asked, []);
  assert.deepEqual(await versions(client), ["v1.4.0"]);
});
