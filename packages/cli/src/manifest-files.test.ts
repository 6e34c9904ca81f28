import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { collectManifests, loadManifests } from "./manifest-files.ts";
import { startScriptedServer } from "@gatehouse/apimachinery/testing/scripted-server";
import { UserError } from "./user-error.ts";

const root = mkdtempSync(join(tmpdir(), "manifests-"));
after(() => rmSync(root, { recursive: true }));
let directories = 0;

function directory(files: Record<string, string>): string {
  const path = join(root, String(++directories));
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
const names = (found: { object: { metadata: { name: string } } }[]): string[] =>
  found.map(({ object }) => object.metadata.name);

test("several documents of a file, empty ones and comments left out", async () => {
  const path = join(
    directory({ "a.yaml": `# head\n---\n${configMap("a")}---\n---\n# nothing\n---\n${configMap("b")}` }),
    "a.yaml",
  );
  const found = await loadManifests([path]);
  assert.deepEqual(names(found), ["a", "b"]);
  assert.deepEqual(
    found.map((each) => [each.path, each.documentIndex]),
    [
      [path, 0],
      [path, 1],
    ],
  );
});

test("a directory gives its manifests by name, without those below it unless asked", async () => {
  const path = directory({
    "b.yml": configMap("b"),
    "a.yaml": configMap("a"),
    "c.json": JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } }),
    "notes.md": "no manifest",
    "sub/d.yaml": configMap("d"),
  });
  assert.deepEqual(names(await loadManifests([path])), ["a", "b", "c"]);
  assert.deepEqual(names(await loadManifests([path], { recursive: true })), ["a", "b", "c", "d"]);
  assert.deepEqual(names(await loadManifests([join(path, "c.json"), join(path, "a.yaml")])), ["c", "a"]);
});

test("lists are taken apart", async () => {
  const list = `apiVersion: v1\nkind: List\nitems:\n- ${configMap("a").replaceAll("\n", "\n  ")}\n- ${configMap("b").replaceAll("\n", "\n  ")}`;
  assert.deepEqual(names(await loadManifests([join(directory({ "l.yaml": list }), "l.yaml")])), ["a", "b"]);
});

test("standard input and URLs", async () => {
  assert.deepEqual(names(await loadManifests(["-"], { stdin: Readable.from([Buffer.from(configMap("in"))]) })), ["in"]);
  await using server = await startScriptedServer(({ path }, response) =>
    path === "/a.yaml" ? void response.end(configMap("web")) : [404, {}],
  );
  assert.deepEqual(names(await loadManifests([`${server.url}/a.yaml`])), ["web"]);
  await assert.rejects(loadManifests([`${server.url}/b.yaml`]), /unable to read URL ".*b\.yaml": server reported 404/);
});

test("values are read as kubectl reads them: YAML 1.1 without its times and dates", async () => {
  const text = `${configMap("a")}data: { mode: 0644, on: yes, clock: 12:30, day: 2026-01-01, text: "0644", big: 1e3 }\n`;
  const [found] = await loadManifests(["-"], { stdin: Readable.from([text]) });
  assert.deepEqual(found?.object.data, {
    mode: 420,
    true: true,
    clock: "12:30",
    day: "2026-01-01",
    text: "0644",
    big: 1000,
  });
});

const unusable: [what: string, text: string, message: RegExp][] = [
  ["a missing apiVersion", "kind: Pod\n", /: \[apiVersion not set\]/],
  ["a list at the top", "- a\n", /: \[apiVersion not set, kind not set\]: it is not a mapping/],
  ["broken YAML", `${configMap("a")}data: [\n`, /error parsing .*x\.yaml: line \d+, column \d+: /],
  ["a key twice", `${configMap("a")}kind: Pod\n`, /x\.yaml: line 5, column 1: Map keys must be unique/],
  ["metadata that is no mapping", "apiVersion: v1\nkind: Pod\nmetadata: x\n", /metadata must be a mapping/],
];

for (const [what, text, message] of unusable) {
  test(`${what} is named with its file and keeps nothing else back`, async () => {
    const path = directory({ "x.yaml": text, "y.yaml": configMap("good") });
    const { manifests, problems } = await collectManifests([path]);
    assert.deepEqual(names(manifests), ["good"]);
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.message ?? "", message);
    assert.ok(!problems[0]?.message.includes("\n"), "one line");
    await assert.rejects(loadManifests([path]), (error) => error instanceof UserError && message.test(error.message));
  });
}

test("a file of a directory that is no manifest at all is left out; named by itself it is an error", async () => {
  const path = directory({ "values.yaml": "deployment: { kind: DaemonSet }\n", "y.yaml": configMap("good") });
  const { manifests, problems, leftOut } = await collectManifests([path]);
  assert.deepEqual([names(manifests), problems, leftOut], [["good"], [], [join(path, "values.yaml")]]);
  await assert.rejects(loadManifests([join(path, "values.yaml")]), /apiVersion not set, kind not set/);
});

test("documents before a broken one are still used", async () => {
  const { manifests, problems } = await collectManifests(["-"], {
    stdin: Readable.from([`${configMap("a")}---\na: [\n`]),
  });
  assert.deepEqual([names(manifests), problems.length], [["a"], 1]);
});

test("paths that do not exist and directories without manifests are errors", async () => {
  await assert.rejects(loadManifests([join(root, "gone.yaml")]), /the path ".*gone\.yaml" does not exist/);
  await assert.rejects(loadManifests([directory({ "a.txt": "" })]), /recognized file extensions are/);
});
