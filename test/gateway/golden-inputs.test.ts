// The golden pairs of the translation start from objects as users would apply them: an API server with the definitions of the
// pair's release takes each, unless its file says that it does not and why, and the statuses that follow as well.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { namespaces } from "@gatehouse/apimachinery/types/core-v1";
import { startTestServer } from "@gatehouse/apiserver/testing";
import { discover, type ResourceMapper } from "@gatehouse/cli/resource-mapper";
import type { Bundle } from "@gatehouse/gateway-api/bundle";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { optionsFor, pickObjects, readObjects } from "@gatehouse/gateway/testing/fixtures";
import { withStatus } from "@gatehouse/gateway/translate/statuses";
import { translate } from "@gatehouse/gateway/translate/translate";
import { eventually } from "../until.ts";
import { customResourceDefinitionType } from "./gateway-fixture.ts";

const directory = join(import.meta.dirname, "../../packages/gateway/src/translate/testdata");

interface Pair {
  file: string;
  objects: KubeObject[];
}

/** By release and channel, e.g. `v1.6.1/experimental`. */
function pairsByApi(): Map<string, Pair[]> {
  const pairs = new Map<string, Pair[]>();
  for (const file of readdirSync(directory).filter((name) => name.endsWith(".in.yaml"))) {
    const objects = readObjects(join(directory, file));
    const { api = "v1.6.1/experimental" } = optionsOf(objects);
    pairs.set(api, [...(pairs.get(api) ?? []), { file, objects }]);
  }
  return pairs;
}

const optionsOf = (objects: readonly KubeObject[]): Record<string, string> =>
  (objects.find(({ metadata }) => metadata.name === "translate-options")?.data ?? {}) as Record<string, string>;

async function createAll(client: ApiClient, bundle: Bundle, pairs: readonly Pair[]): Promise<void> {
  const definitions = customResourceDefinitions(bundle);
  for (const definition of definitions) await client.create(customResourceDefinitionType, definition);
  const served = new Set(pairs.flatMap(({ objects }) => objects.flatMap(({ metadata }) => metadata.namespace ?? [])));
  for (const name of served) {
    if (name !== "default") {
      await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }
  }
  const [last] = definitions.slice(-1);
  await eventually(async () => {
    const found = await client.get(customResourceDefinitionType, last?.metadata.name ?? "");
    assert.match(JSON.stringify(found.status), /"Established","status":"True"/);
  });
}

for (const [api, pairs] of pairsByApi()) {
  test(`${api}: ${pairs.length} pairs can be applied, and the statuses that follow be written`, async (t) => {
    const server = await startTestServer();
    t.after(() => server.close());
    const client = await server.client();
    const [version, channel] = api.split("/");
    await createAll(client, { version, channel } as Bundle, pairs);
    const mapper = await discover(client);
    const [surprises, idle]: [string[], string[]] = [[], []];
    for (const { file, objects } of pairs) {
      const refused = await refusalsOf(client, mapper, objects);
      const { refused: reason } = optionsOf(objects);
      if (reason && refused.length === 0) idle.push(file);
      if (!reason) surprises.push(...refused.map((message) => `${file}: ${message}`));
    }
    assert.deepEqual(surprises, [], "what is refused");
    assert.deepEqual(idle, [], "files that say that they are refused and are not");
  });
}

/** What the API server says against the objects and their statuses. Nothing of them is left behind. */
async function refusalsOf(
  client: ApiClient,
  mapper: ResourceMapper,
  objects: readonly KubeObject[],
): Promise<string[]> {
  const refusals: string[] = [];
  const created = new Map<KubeObject, { type: ResourceType; stored: KubeObject }>();
  const attempt = async (object: KubeObject, write: () => Promise<unknown>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      refusals.push(
        `${object.kind} ${object.metadata.name}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  for (const object of objects.filter(({ kind }) => kind !== "Namespace")) {
    await attempt(object, async () => {
      const type = mapper.byKind(object.apiVersion, object.kind);
      assert.ok(type, `the release has no ${object.kind} in ${object.apiVersion}`);
      created.set(object, { type, stored: await client.create(type, object, { fieldValidation: "Strict" }) });
    });
  }
  for (const update of translate(pickObjects(objects), optionsFor(objects)).statuses) {
    const { type, stored } = created.get(update.object) ?? {};
    if (!type || !stored) continue;
    const written = withStatus(update, { ...stored, status: update.object.status }, new Date(0).toISOString());
    if (written) await attempt(update.object, () => client.updateStatus(type, written));
  }
  for (const { type, stored } of created.values()) {
    await client.delete(type, stored.metadata.name, stored.metadata.namespace);
  }
  return refusals;
}
