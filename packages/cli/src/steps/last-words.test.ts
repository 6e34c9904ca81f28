import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { type ApiClient, createApiClient } from "@gatehouse/apimachinery/api-client";
import { lastWords } from "./last-words.ts";

/** A cluster of these answers, by path and query; all else is 404. */
async function clusterOf(t: TestContext, answers: Record<string, string>): Promise<ApiClient> {
  const server = createServer((request, response) => {
    const text = answers[request.url ?? ""];
    response.writeHead(text === undefined ? 404 : 200, { "content-type": "application/json" }).end(text ?? "{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = await createApiClient({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  t.after(() => {
    client.close();
    server.close();
  });
  return client;
}

const pod = (name: string, container: object) => ({
  metadata: { name, namespace: "traefik" },
  status: { containerStatuses: [{ name: "traefik", restartCount: 1, ...container }] },
});
const log = (name: string): string => `/api/v1/namespaces/traefik/pods/${name}/log?container=traefik&tailLines=5`;

test("a container that crashes said something; colours and empty lines are left out", async (t) => {
  const exited = { terminated: { exitCode: 3, reason: "Error" } };
  const client = await clusterOf(t, {
    "/api/v1/namespaces/traefik/pods": JSON.stringify({
      items: [
        pod("waiting", { ready: false, state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: exited }),
        pod("silent", { ready: false, state: exited }),
        pod("serves-again", { ready: true, state: { running: {} }, lastState: exited }),
        pod("pulling", { ready: false, state: { waiting: { reason: "ErrImagePull" } } }),
        pod("done", { ready: false, state: { terminated: { exitCode: 0, reason: "Completed" } } }),
      ],
    }),
    [log("waiting")]: "\u001b[31mboom\u001b[0m: no such flag\n\nleaving\u0007\n",
    [log("silent")]: "",
    [log("serves-again")]: "never asked",
  });
  assert.deepEqual(await lastWords(client, ["traefik"]), [
    "traefik of pod/traefik/waiting said last:",
    "  | boom: no such flag",
    "  | leaving\\u0007",
  ]);
});

test("nobody answers: nothing is said", async (t) => {
  assert.deepEqual(await lastWords(await clusterOf(t, {}), ["traefik", "demo"]), []);
  const gone = await createApiClient({ server: "http://127.0.0.1:1" });
  assert.deepEqual(await lastWords(gone, ["traefik"]), []);
});
