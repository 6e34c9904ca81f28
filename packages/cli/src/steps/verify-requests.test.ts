import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { verifyRequests } from "./verify-requests.ts";

const pages = [
  { host: "whoami.localhost", path: "/" },
  { host: "demo.localhost", path: "/v1" },
];

/** A gateway that answers with these codes, the last one for ever; after each answer `then`. */
async function gateway(t: TestContext, codes: number[], then = (): void => {}) {
  const asked: string[] = [];
  const server = createServer(({ headers, url }, response) => {
    asked.push(`${headers.host}${url}`);
    response.writeHead((codes.length > 1 ? codes.shift() : codes[0]) ?? 500).end();
    then();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { asked, entry: { host: "127.0.0.1", port: (server.address() as AddressInfo).port } };
}

test("every page is asked for, as often as it takes until it is there", async (t) => {
  const { asked, entry } = await gateway(t, [404, 404, 503, 200]);
  let said = "";
  await verifyRequests(entry, pages, "", (text) => (said = text));
  assert.equal(said, "whoami.localhost/, demo.localhost/v1");
  assert.ok(asked.length >= 5, String(asked));
  assert.deepEqual(new Set(asked), new Set(["whoami.localhost/", "demo.localhost/v1"]));
});

test("one that stays away is named with its answer, the way, and where to look", async (t) => {
  t.mock.timers.enable({ apis: ["Date"] });
  let now = 0;
  const { entry } = await gateway(t, [404], () => t.mock.timers.setTime((now += 6_000)));
  const verified = verifyRequests(entry, pages.slice(0, 1), " --cluster kind", () => {});
  await assert.rejects(verified, {
    message: `http://whoami.localhost/ through 127.0.0.1:${entry.port} gives 404 instead of 200: look with gatehouse status --cluster kind and kubectl logs -n traefik -l app.kubernetes.io/name=traefik`,
  });
});
