// Volumes: what files they get, and how those change under a reader.

import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { ConfigMap, Pod, Secret, Volume } from "@gatehouse/apimachinery/types/core-v1";
import { writeAtomically } from "./atomic-directory.ts";
import { createPodVolumes } from "./pod-volumes.ts";
import { volumeFiles, type VolumeSources } from "./volume-payload.ts";

const root = mkdtempSync(join(tmpdir(), "gatehouse-volumes-"));
after(() => rmSync(root, { recursive: true, force: true }));

const container = { name: "c", image: "i", resources: { limits: { memory: "64Mi" } } };
const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "demo", labels: { b: "2", a: '1"' } },
  spec: { containers: [container] },
};
const base64 = (text: string): string => Buffer.from(text).toString("base64");

function sources(objects: { map?: ConfigMap["data"]; secret?: Secret["data"] } = {}): VolumeSources {
  const { map = { one: "1", two: "2" }, secret = { key: base64("hidden") } } = objects;
  const shape = { apiVersion: "v1", metadata: { name: "o" } };
  return {
    pod,
    facts: { podIP: "127.30.1.4", nodeIP: "127.30.0.1" },
    configMap: (name) =>
      name === "map" ? { ...shape, kind: "ConfigMap", data: map, binaryData: { bin: base64("\u0000") } } : undefined,
    secret: (name) => (name === "sec" ? { ...shape, kind: "Secret", data: secret } : undefined),
    token: ({ audience = "api" }) => `token for ${audience}`,
  };
}

function filesOf(volume: Omit<Volume, "name">): Record<string, string> | undefined {
  const files = volumeFiles({ name: "v", ...volume }, sources());
  if (!files) return undefined;
  return Object.fromEntries(
    [...files].map(([path, { data, mode }]) => [path, `${mode.toString(8)} ${data.toString()}`]),
  );
}

test("each kind of volume has its files and modes", () => {
  assert.equal(filesOf({ emptyDir: {} }), undefined);
  assert.deepEqual(filesOf({ configMap: { name: "map" } }), { one: "644 1", two: "644 2", bin: "644 \u0000" });
  assert.deepEqual(filesOf({ configMap: { name: "map", defaultMode: 0o400, items: [{ key: "one", path: "a/b" }] } }), {
    "a/b": "400 1",
  });
  assert.deepEqual(filesOf({ secret: { secretName: "sec" } }), { key: "600 hidden" });
  assert.deepEqual(filesOf({ secret: { secretName: "sec", items: [{ key: "key", path: "k", mode: 0o640 }] } }), {
    k: "640 hidden",
  });
  assert.deepEqual(
    filesOf({ downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } }),
    {
      labels: '644 a="1\\""\nb="2"\n',
    },
  );
  assert.deepEqual(
    filesOf({
      projected: {
        defaultMode: 0o444,
        sources: [
          { serviceAccountToken: { path: "token" } },
          { serviceAccountToken: { path: "vault", audience: "vault" } },
          { configMap: { name: "map", items: [{ key: "one", path: "ca.crt" }] } },
          { secret: { name: "sec" } },
          {
            downwardAPI: {
              items: [
                { path: "m", resourceFieldRef: { containerName: "c", resource: "limits.memory", divisor: "1Mi" } },
              ],
            },
          },
        ],
      },
    }),
    { token: "600 token for api", vault: "600 token for vault", "ca.crt": "444 1", key: "444 hidden", m: "644 64" },
  );
});

test("missing objects and keys are named, unless optional", () => {
  assert.throws(() => filesOf({ secret: { secretName: "no" } }), {
    message: 'MountVolume.SetUp failed for volume "v" : secret "no" not found',
  });
  assert.throws(
    () => filesOf({ configMap: { name: "map", items: [{ key: "no", path: "x" }] } }),
    /references non-existent key: no/,
  );
  assert.deepEqual(filesOf({ configMap: { name: "no", optional: true } }), {});
  assert.deepEqual(filesOf({ configMap: { name: "map", optional: true, items: [{ key: "no", path: "x" }] } }), {});
});

test("what is not supported is refused by name, and no path leaves the volume", () => {
  assert.throws(() => filesOf({ hostPath: { path: "/etc" } }), /hostPath volumes are not supported.*emptyDir/);
  assert.throws(
    () => filesOf({ persistentVolumeClaim: { claimName: "x" } } as Partial<Volume>),
    /persistentVolumeClaim volumes/,
  );
  for (const path of ["../x", "/x", "a/../../x", "", "..data"]) {
    assert.throws(
      () => filesOf({ configMap: { name: "map", items: [{ key: "one", path }] } }),
      /must be relative and stay inside/,
      path,
    );
  }
});

test("files are replaced all at once, and old ones go", () => {
  const directory = join(root, "atomic");
  const file = (text: string, mode = 0o644) => ({ data: Buffer.from(text), mode });
  writeAtomically(
    directory,
    new Map([
      ["a", file("1", 0o600)],
      ["sub/b", file("1")],
    ]),
  );
  assert.equal(readFileSync(join(directory, "a"), "utf8"), "1");
  assert.equal(statSync(join(directory, "a")).mode & 0o777, 0o600);
  assert.equal(readFileSync(join(directory, "sub/b"), "utf8"), "1");
  assert.ok(lstatSync(join(directory, "..data")).isSymbolicLink());
  writeAtomically(
    directory,
    new Map([
      ["a", file("2")],
      ["c", file("2")],
    ]),
  );
  assert.equal(readFileSync(join(directory, "a"), "utf8"), "2");
  assert.deepEqual(
    readdirSync(directory)
      .filter((name) => !name.startsWith(".."))
      .sort(),
    ["a", "c"],
  );
  assert.equal(readdirSync(directory).filter((name) => name.startsWith("..version")).length, 1);
});

test("a pod's volumes follow their objects, and an unchanged one is not rewritten", () => {
  const directory = join(root, "pod");
  let map: Record<string, string> = { one: "1" };
  const live = { ...sources(), configMap: () => sources({ map }).configMap("map") };
  const volumes = createPodVolumes(
    directory,
    [
      { name: "m", configMap: { name: "map" } },
      { name: "e", emptyDir: {} },
    ],
    () => live,
  );
  volumes.sync();
  const version = (): string => readdirSync(join(directory, "m")).find((name) => name.startsWith("..version")) ?? "";
  const first = version();
  volumes.sync();
  assert.equal(version(), first);
  map = { one: "changed" };
  volumes.sync();
  assert.equal(readFileSync(join(directory, "m/one"), "utf8"), "changed");
  assert.ok(existsSync(join(directory, "e")));
});

test("mounts lead to the real places; unknown volumes and escaping subPaths are refused", () => {
  const volumes = createPodVolumes("/state", [{ name: "m", emptyDir: {} }], sources);
  const mounts = (mount: { name: string; mountPath: string; subPath?: string }) =>
    volumes.mounts({ ...container, volumeMounts: [mount] });
  assert.deepEqual(mounts({ name: "m", mountPath: "/data" }), { "/data": "/state/m" });
  assert.deepEqual(mounts({ name: "m", mountPath: "/data/x", subPath: "x" }), { "/data/x": "/state/m/x" });
  assert.throws(() => mounts({ name: "no", mountPath: "/data" }), /has no such volume/);
  assert.throws(() => mounts({ name: "m", mountPath: "/data", subPath: "../../etc" }), /must be relative/);
});

test("only emptyDir volumes may be written to, unless mounted read-only; of two mounts at a path the last counts", () => {
  const volumes = createPodVolumes(
    "/state",
    [
      { name: "own", emptyDir: {} },
      { name: "map", configMap: { name: "m" } },
      { name: "key", secret: { secretName: "s" } },
      { name: "all", projected: { sources: [] } },
    ],
    sources,
  );
  const volumeMounts = [
    { name: "own", mountPath: "/own" },
    { name: "own", mountPath: "/frozen", readOnly: true },
    ...["map", "key", "all"].map((name) => ({ name, mountPath: `/${name}`, readOnly: false })),
    { name: "own", mountPath: "/twice" },
    { name: "map", mountPath: "/twice" },
  ];
  assert.deepEqual(volumes.writable({ ...container, volumeMounts }), ["/own"]);
  assert.deepEqual(volumes.writable(container), []);
});

test("a volume whose name is a path is not written, and what stood there stays", () => {
  const home = mkdtempSync(join(root, "home-"));
  writeFileSync(join(home, "precious"), "");
  const directory = join(home, "pod", "volumes");
  for (const volume of [{ configMap: { name: "map" } }, { emptyDir: {} }]) {
    const volumes = createPodVolumes(directory, [{ name: "../..", ...volume }], () => sources());
    assert.throws(() => volumes.sync(), /a volume's name is/);
  }
  assert.deepEqual(readdirSync(home), ["precious"]);
});

test("no file is setuid", () => {
  assert.deepEqual(filesOf({ configMap: { name: "map", defaultMode: 0o4755, items: [{ key: "one", path: "a" }] } }), {
    a: "755 1",
  });
});
