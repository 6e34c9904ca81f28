import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import {
  chooseBundle,
  compareBundles,
  compareVersions,
  loadBundle,
  parseDefinitionsSource,
  versionsOf,
} from "./definition-bundle.ts";

const silent = { detail: () => {} };
const standard = (version: "v1.4.0" | "v1.6.1"): KubeObject[] =>
  customResourceDefinitions({ version, channel: "standard" });

test("sources: two words, URLs, what is on the disk, and nothing else", () => {
  const bundle = { version: "v1.4.0", channel: "standard" };
  assert.deepEqual(parseDefinitionsSource("official"), { kind: "official", bundle });
  assert.deepEqual(parseDefinitionsSource("bundled"), { kind: "bundled", bundle });
  assert.deepEqual(parseDefinitionsSource("https://h/a.yaml"), { kind: "url", place: "https://h/a.yaml" });
  assert.deepEqual(parseDefinitionsSource(import.meta.filename), { kind: "file", place: import.meta.filename });
  assert.throws(
    () => parseDefinitionsSource("no/such/file"),
    /no\/such\/file: there is no such file or folder; give one/,
  );
});

test("a release and a channel are chosen, of those there are, and not for sources that have their own", async () => {
  const choice = { gatewayApi: "v1.6.1", channel: "experimental" };
  const source = parseDefinitionsSource("bundled", choice);
  assert.deepEqual(source, { kind: "bundled", bundle: { version: "v1.6.1", channel: "experimental" } });
  const { version, channel, objects } = await loadBundle(source, silent);
  assert.deepEqual([version, channel], ["v1.6.1", "experimental"]);
  assert.ok(objects.some(({ metadata }) => metadata.name === "xbackends.gateway.networking.x-k8s.io"));
  assert.deepEqual(chooseBundle({ channel: "experimental" }), { version: "v1.4.0", channel: "experimental" });
  const refused: [text: string, choice: object, message: string][] = [
    ["bundled", { gatewayApi: "v1.5.0" }, "--gateway-api v1.5.0: choose one of v1.4.0, v1.6.1"],
    ["official", { channel: "beta" }, "--channel beta: choose one of standard, experimental"],
    [
      "https://h/a.yaml",
      { channel: "standard" },
      "--gateway-api-crds https://h/a.yaml says itself which release it is: leave out --gateway-api and --channel",
    ],
  ];
  for (const [text, wrong, message] of refused) assert.throws(() => parseDefinitionsSource(text, wrong), { message });
});

test("a bundle says which version and channel it is; a file without definitions is refused by name", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-test-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "crds.json");
  const list = {
    apiVersion: "v1",
    kind: "List",
    items: customResourceDefinitions({ version: "v1.6.1", channel: "experimental" }),
  };
  writeFileSync(file, JSON.stringify(list));
  const { version, channel } = await loadBundle({ kind: "file", place: file }, silent);
  assert.deepEqual([version, channel], ["v1.6.1", "experimental"]);
  writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } }));
  await assert.rejects(
    loadBundle({ kind: "file", place: file }, silent),
    /crds\.json holds no Gateway API definitions/,
  );
});

test("a bundle of a URL follows redirects, and a failure names the URL", async (t) => {
  const server = createServer((request, response) => {
    if (request.url === "/old") response.writeHead(302, { location: "/new" }).end();
    else if (request.url === "/new")
      response.end(
        standard("v1.4.0")
          .map((each) => JSON.stringify(each))
          .join("\n---\n"),
      );
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bundle = await loadBundle({ kind: "url", place: `${base}/old` }, silent);
  assert.equal(bundle.objects.length, standard("v1.4.0").length);
  await assert.rejects(loadBundle({ kind: "url", place: `${base}/gone` }, silent), /gone": server reported 404/);
});

test("only what is missing or older is replaced unasked", () => {
  const wanted = { version: "v1.4.0", channel: "standard", objects: standard("v1.4.0") };
  assert.equal(compareBundles(wanted, []), "install");
  assert.equal(compareBundles(wanted, standard("v1.4.0")), "same");
  assert.equal(compareBundles(wanted, standard("v1.4.0").slice(1)), "install", "one is missing");
  assert.equal(compareBundles(wanted, standard("v1.6.1")), "ask", "newer");
  assert.equal(
    compareBundles({ ...wanted, version: "v1.6.1", objects: standard("v1.6.1") }, standard("v1.4.0")),
    "install",
  );
  const experimental = customResourceDefinitions({ version: "v1.4.0", channel: "experimental" });
  assert.equal(compareBundles(wanted, experimental), "ask", "fields of the other channel would be lost");
  const unknown = standard("v1.4.0").map((each) => ({ ...each, metadata: { name: each.metadata.name } }));
  assert.equal(compareBundles(wanted, unknown), "ask", "nobody knows what it is");
});

test("what is present is named once per version and channel", () => {
  assert.equal(versionsOf(standard("v1.6.1")), "v1.6.1 (standard channel)");
  const unknown: KubeObject = { apiVersion: "v1", kind: "X", metadata: { name: "x" } };
  assert.equal(
    versionsOf([...standard("v1.4.0"), unknown]),
    "v1.4.0 (standard channel) and of unknown version (standard channel)",
  );
});

test("versions are compared by number, and a release comes after its candidates", () => {
  const sorted = ["v1.10.0", "v1.4.0", "v1.4.0-rc.2", "v1.4.0-rc.10", "v1.4.1"].toSorted(compareVersions);
  assert.deepEqual(sorted, ["v1.4.0-rc.2", "v1.4.0-rc.10", "v1.4.0", "v1.4.1", "v1.10.0"]);
  assert.equal(compareVersions("v1.4.0", "v1.4.0"), 0);
});
