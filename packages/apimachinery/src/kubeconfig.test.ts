import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { kubeconfigPaths, loadConnection, parseKubeconfig } from "./kubeconfig.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

const temporary = mkdtempSync(join(tmpdir(), "kubeconfig-"));
after(() => rmSync(temporary, { recursive: true }));

function write(name: string, config: unknown, directory = mkdtempSync(join(temporary, "files-"))): string {
  const path = join(directory, name);
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
  return path;
}

const demo = {
  clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:6443", "certificate-authority-data": base64("CA") } }],
  users: [
    { name: "u", user: { "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY") } },
    { name: "token", user: { token: "secret" } },
  ],
  contexts: [
    { name: "demo", context: { cluster: "c", user: "u", namespace: "demo" } },
    { name: "bare", context: { cluster: "c", user: "token", namespace: "" } },
    { name: "lost", context: { cluster: "gone", user: "u" } },
    { name: "nobody", context: { cluster: "c", user: "gone" } },
  ],
  "current-context": "demo",
};

test("KUBECONFIG lists the files, else the home directory's is read", () => {
  assert.deepEqual(kubeconfigPaths({ KUBECONFIG: `/a${delimiter}${delimiter}/b`, HOME: "/home/x" }), ["/a", "/b"]);
  assert.deepEqual(kubeconfigPaths({ KUBECONFIG: "", HOME: "/home/x" }), ["/home/x/.kube/config"]);
});

test("the current context gives server, certificates and namespace", async () => {
  const connection = await loadConnection(undefined, { KUBECONFIG: write("config", demo) });
  assert.deepEqual(
    { ...connection, clientCertificate: String(connection.clientCertificate), clientKey: String(connection.clientKey) },
    {
      server: "https://127.0.0.1:6443",
      certificateAuthority: Buffer.from("CA"),
      clientCertificate: "CERT",
      clientKey: "KEY",
      context: "demo",
      namespace: "demo",
    },
  );
});

test("a named context wins over the current one; an empty namespace is default", async () => {
  const connection = await loadConnection("bare", { KUBECONFIG: write("config", demo) });
  assert.deepEqual([connection.token, connection.namespace], ["secret", "default"]);
  assert.equal(connection.clientCertificate, undefined);
});

test("YAML is read, with relative paths taken from the file's directory and token files read anew each time", async () => {
  const directory = mkdtempSync(join(temporary, "files-"));
  write("ca.crt", "AUTHORITY", directory);
  const token = write("token", "one\n", directory);
  const path = write(
    "config",
    `apiVersion: v1
kind: Config
current-context: x
clusters: [{ name: c, cluster: { server: "https://h:1", certificate-authority: ca.crt, tls-server-name: n } }]
users: [{ name: u, user: { tokenFile: token, token: old } }]
contexts: [{ name: x, context: { cluster: c, user: u } }]
`,
    directory,
  );
  const connection = await loadConnection(undefined, { KUBECONFIG: path });
  assert.equal(String(connection.certificateAuthority), "AUTHORITY");
  assert.equal(connection.tlsServerName, "n");
  const read = connection.token as () => string;
  assert.equal(read(), "one");
  writeFileSync(token, "two");
  assert.equal(read(), "two");
});

test("several files are merged, the first to name something wins, missing files are skipped", async () => {
  const first = write("a", { contexts: demo.contexts, "current-context": "bare" });
  const second = write("b", { ...demo, clusters: null, users: [{ name: "token", user: { token: "second" } }] });
  const third = write("c", demo);
  const files = ["/nowhere/config", first, second, third].join(delimiter);
  const connection = await loadConnection(undefined, { KUBECONFIG: files });
  assert.deepEqual(
    [connection.context, connection.token, connection.server],
    ["bare", "second", "https://127.0.0.1:6443"],
  );
});

const failures: [what: string, config: unknown, context: string | undefined, message: RegExp][] = [
  ["no current context", { ...demo, "current-context": "" }, undefined, /no current context in .*--context/],
  ["an unknown context", demo, "nope", /context "nope" is not in /],
  ["a missing cluster", demo, "lost", /names cluster "gone", which is not there/],
  ["a missing user", demo, "nobody", /names user "gone", which is not there/],
  ["a cluster without a server", { ...demo, clusters: [{ name: "c", cluster: {} }] }, "demo", /"c" has no server/],
  [
    "a login program of no known version",
    { ...demo, users: [{ name: "u", user: { exec: { command: "aws" } } }] },
    "demo",
    /user "u": exec of version "" is not supported/,
  ],
  [
    "a login that Kubernetes no longer knows",
    { ...demo, users: [{ name: "u", user: { "auth-provider": { name: "gcp" } } }] },
    "demo",
    /user "u" logs in with auth-provider, .*: use its exec plugin/,
  ],
  [
    "a proxy of its own",
    { ...demo, clusters: [{ name: "c", cluster: { server: "https://h", "proxy-url": "http://p" } }] },
    "demo",
    /cluster "c" is reached by proxy-url, which is not supported/,
  ],
  [
    "a missing certificate file",
    { ...demo, users: [{ name: "u", user: { "client-certificate": "gone.crt" } }] },
    "demo",
    /cannot be read: .*gone\.crt/,
  ],
  ["broken YAML", "a: [", undefined, /kubeconfig .*config cannot be read: /],
  ["a list at the top", "[1]", undefined, /is not a kubeconfig/],
];

for (const [what, config, context, message] of failures) {
  test(`${what} is said plainly`, async () => {
    await assert.rejects(loadConnection(context, { KUBECONFIG: write("config", config) }), message);
  });
}

test("YAML may begin like JSON", async () => {
  const parsed = await parseKubeconfig('{ "kind": "Config", current-context: x }', "config");
  assert.equal(parsed["current-context"], "x");
});

test("empty text is an empty config", async () => {
  assert.deepEqual(await parseKubeconfig(" \n", "x"), { apiVersion: "v1", kind: "Config" });
});
