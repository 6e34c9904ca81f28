import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type ExecConfig, execCredentials } from "./exec-credential.ts";

const cluster = { server: "https://127.0.0.1:6443" };
const v1 = "client.authentication.k8s.io/v1";

/** A login program in a directory of its own; it counts its runs in the file `runs` and prints `status`. */
function plugin(t: TestContext, body: string): { directory: string; config: ExecConfig } {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-test-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "login");
  writeFileSync(path, `#!/bin/sh\necho run >> "${directory}/runs"\n${body}\n`);
  chmodSync(path, 0o700);
  return { directory, config: { apiVersion: v1, command: "./login", interactiveMode: "Never" } };
}

const printing = (status: object): string =>
  `cat <<'END'\n${JSON.stringify({ apiVersion: v1, kind: "ExecCredential", status })}\nEND`;

test("the program's token is the user's, and the program learns what it asked for", (t) => {
  const { directory, config } = plugin(
    t,
    `echo "$KUBERNETES_EXEC_INFO" > "$0.info"; echo "$REGION $1" > "$0.args"; ${printing({ token: "abc" })}`,
  );
  const credentials = execCredentials(
    "me",
    { ...config, args: ["get-token"], env: [{ name: "REGION", value: "north" }], provideClusterInfo: true },
    cluster,
    directory,
  );
  assert.equal(credentials.token?.(), "abc");
  assert.equal(credentials.clientCertificate, undefined);
  assert.deepEqual(JSON.parse(readFileSync(join(directory, "login.info"), "utf8")), {
    apiVersion: v1,
    kind: "ExecCredential",
    spec: { interactive: false, cluster },
  });
  assert.equal(readFileSync(join(directory, "login.args"), "utf8"), "north get-token\n");
});

test("a certificate with its key does as well as a token", (t) => {
  const { directory, config } = plugin(t, printing({ clientCertificateData: "CERT", clientKeyData: "KEY" }));
  const { token, clientCertificate, clientKey } = execCredentials("me", config, cluster, directory);
  assert.deepEqual([token, String(clientCertificate), String(clientKey)], [undefined, "CERT", "KEY"]);
});

test("a token is kept until it expires, then the program runs again", (t) => {
  const runs = (directory: string): number => readFileSync(join(directory, "runs"), "utf8").split("run").length - 1;
  const lasting = plugin(t, printing({ token: "abc", expirationTimestamp: "2999-01-01T00:00:00Z" }));
  const kept = execCredentials("me", lasting.config, cluster, lasting.directory);
  assert.deepEqual([kept.token?.(), kept.token?.(), runs(lasting.directory)], ["abc", "abc", 1]);
  execCredentials("me", lasting.config, cluster, lasting.directory);
  assert.equal(runs(lasting.directory), 1, "one login serves every connection of the process");
  const expired = plugin(t, printing({ token: "abc", expirationTimestamp: "2001-01-01T00:00:00Z" }));
  const renewed = execCredentials("me", expired.config, cluster, expired.directory);
  assert.deepEqual([renewed.token?.(), runs(expired.directory)], ["abc", 2]);
});

test("failures say who wanted what, and never what was printed", (t) => {
  const fails = (body: string, change: Partial<ExecConfig>, message: RegExp): void => {
    const { directory, config } = plugin(t, body);
    assert.throws(() => execCredentials("me", { ...config, ...change }, cluster, directory), message);
  };
  fails(
    "",
    { command: "no-such-login", installHint: "install it from the vendor" },
    /user "me" logs in with no-such-login, which is not installed, or not in PATH: install it from the vendor/,
  );
  fails("exit 3", {}, /\.\/login failed with exit code 3: log in with it first/);
  fails("echo secret-token", {}, /^Error: user "me": \.\/login printed no credential \(not JSON\)$/);
  fails(printing({}), {}, /gave neither a token nor a certificate with its key/);
  fails(printing({ clientCertificateData: "CERT" }), {}, /neither a token nor a certificate/);
  fails(
    `echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"a"}}'`,
    {},
    /printed no ExecCredential of version client\.authentication\.k8s\.io\/v1$/,
  );
  fails(
    "",
    { apiVersion: "client.authentication.k8s.io/v1alpha1" },
    /exec of version "client\.authentication\.k8s\.io\/v1alpha1" is not supported/,
  );
  fails("", { interactiveMode: "Always" }, /wants to ask something: run this at a terminal/);
});
