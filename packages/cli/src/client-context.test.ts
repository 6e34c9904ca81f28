import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startTestServer } from "@gatehouse/apiserver/testing";
import { namespaces } from "@gatehouse/apimachinery/types/core-v1";
import { type ClientFlags, withClient } from "./client-context.ts";
import { UserError } from "./user-error.ts";

const directory = mkdtempSync(join(tmpdir(), "client-context-"));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

function kubeconfig(contexts: string[], server: string, current = ""): NodeJS.ProcessEnv {
  const path = join(directory, `config-${++files}`);
  const config = {
    clusters: [{ name: "c", cluster: { server } }],
    contexts: contexts.map((name) => ({ name, context: { cluster: "c", namespace: "demo" } })),
    "current-context": current,
  };
  writeFileSync(path, JSON.stringify(config));
  return { KUBECONFIG: path };
}

/** An address that refuses connections: a port that was free a moment ago. */
async function refusedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `https://127.0.0.1:${port}`;
}

const list = (flags: ClientFlags, environment: NodeJS.ProcessEnv): Promise<void> =>
  withClient(flags, async ({ client }) => void (await client.list(namespaces)), environment);

const message = (pattern: RegExp) => (error: unknown) => error instanceof UserError && pattern.test(error.message);

test("the namespace is the option's, else the context's", async () => {
  const environment = kubeconfig(["gatehouse"], "https://127.0.0.1:1", "gatehouse");
  const seen: unknown[] = [];
  const look = (flags: ClientFlags) =>
    withClient(flags, async (c) => void seen.push([c.namespace, c.namespaceIsExplicit, c.allNamespaces]), environment);
  await look({});
  await look({ namespace: "other" });
  await look({ allNamespaces: true });
  assert.deepEqual(seen, [
    ["demo", false, false],
    ["other", true, false],
    ["demo", false, true],
  ]);
});

test("a cluster that does not run is said with the command that starts it", async () => {
  const address = await refusedAddress();
  const cases: [context: string, remedy: RegExp][] = [
    ["gatehouse", /`gatehouse start`/],
    ["gatehouse-dev", /`gatehouse start --name dev`/],
    ["kind-x", /choose another with --context/],
  ];
  for (const [context, remedy] of cases) {
    const environment = kubeconfig([context], address, context);
    await assert.rejects(list({}, environment), message(remedy));
    await assert.rejects(
      list({}, environment),
      message(new RegExp(`context "${context}" does not answer at ${address}`)),
    );
  }
});

test("without a current context none is guessed, not even the only one", async () => {
  const address = "https://127.0.0.1:1";
  await assert.rejects(
    list({}, kubeconfig(["kind-x", "gatehouse"], address)),
    message(/: choose a cluster with --context gatehouse$/),
  );
  await assert.rejects(
    list({}, kubeconfig(["gatehouse", "gatehouse-dev"], address)),
    message(/--context gatehouse or --context gatehouse-dev$/),
  );
  await assert.rejects(list({}, kubeconfig(["kind-x"], address)), message(/: choose a cluster with --context kind-x$/));
  await assert.rejects(list({}, kubeconfig([], address)), message(/bring a cluster up with `gatehouse up`/));
});

test("a context or file that does not exist is named", async () => {
  const environment = kubeconfig(["gatehouse"], "https://127.0.0.1:1", "gatehouse");
  await assert.rejects(list({ context: "nope" }, environment), message(/context "nope" is not in /));
  await assert.rejects(
    list({ kubeconfig: "/gone/config" }, environment),
    message(/kubeconfig file \/gone\/config does not exist/),
  );
});

test("a certificate of another cluster is not a mere connection failure", async () => {
  const cluster = await startTestServer({ tls: true });
  try {
    const environment = kubeconfig(["gatehouse"], cluster.url, "gatehouse");
    await assert.rejects(list({}, environment), message(/is not the one that context "gatehouse" trusts/));
  } finally {
    await cluster.close();
  }
});

test("other failures pass as they are", async () => {
  const environment = kubeconfig(["gatehouse"], "https://127.0.0.1:1", "gatehouse");
  const failure = new TypeError("ours");
  await assert.rejects(
    withClient({}, () => Promise.reject(failure), environment),
    (error) => error === failure,
  );
});
