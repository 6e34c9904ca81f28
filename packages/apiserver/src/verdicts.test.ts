// What kube-apiserver 1.36 said of objects of the built-in kinds with one field changed or taken away: the same is said here.
// testdata/verdicts.json was recorded from it, as data: of each kind an object it takes, and changes with its answer (null: taken).
// Left out are answers in which one of the two goes on to name more faults, or names Go types that no schema tells.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { startTestServer, type TestServer } from "./testing.ts";

type Verdict = [path: (string | number)[], how: "set" | "delete", value: unknown, answer: string | null];

interface KindVerdicts {
  path: string;
  base: object;
  verdicts: Verdict[];
}

const recorded = JSON.parse(readFileSync(new URL("testdata/verdicts.json", import.meta.url), "utf8")) as Record<
  string,
  KindVerdicts
>;

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "verdicts" } };
  await post("/api/v1/namespaces", namespace);
});
after(() => cluster.close());

function post(path: string, body: object): Promise<unknown> {
  return client.json({
    method: "POST",
    path,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
}

/** `base` with the change in it. */
function changed(base: object, [path, how, value]: Verdict): object {
  const names = path.slice(0, -1);
  const last = path.at(-1) ?? "";
  const result = structuredClone(base);
  let parent = result as Record<string, unknown>;
  for (const name of names) parent = parent[name] as Record<string, unknown>;
  if (how === "set") parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return result;
}

async function answerTo(path: string, body: object): Promise<string | null> {
  try {
    await post(`${path}?dryRun=All`, body);
    return null;
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return `${error.code} ${error.message}`;
  }
}

describe("kube-apiserver's verdict on", () => {
  for (const [kind, { path, base, verdicts }] of Object.entries(recorded)) {
    it(`${kind}, with ${verdicts.length} changes`, async () => {
      assert.equal(await answerTo(path, base), null, "the object itself is taken");
      for (const verdict of verdicts) {
        const answer = await answerTo(path, changed(base, verdict));
        assert.equal(answer, verdict[3], JSON.stringify(verdict.slice(0, 3)));
      }
    });
  }
});
