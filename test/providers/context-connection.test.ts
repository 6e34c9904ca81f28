// `--context` and `--cluster current` when the kubeconfig, or what answers behind it, is not what it should be: a line that
// says what to do, from each command, and nothing left behind.

import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { testCertificates } from "@gatehouse/apiserver/testing";
import { type CliCluster, type CliResult, startCli, startCliCluster } from "../cli/run-cli.ts";

describe("a context that leads nowhere", () => {
  let cluster: CliCluster;
  let certificateAuthority: string;
  let strange: string;
  before(async () => {
    cluster = await startCliCluster();
    certificateAuthority = Buffer.from(cluster.ca).toString("base64");
    strange = Buffer.from((await testCertificates()).ca).toString("base64");
  });
  after(() => cluster.close());

  /** The command on a kubeconfig of this content, in a HOME that has to be as empty afterwards as before. */
  async function gatehouse(kubeconfig: string, ...args: string[]): Promise<CliResult> {
    const file = join(cluster.directory, "other");
    writeFileSync(file, kubeconfig);
    const environment = { HOME: cluster.directory, PATH: process.env.PATH, KUBECONFIG: file };
    const result = await startCli(args, environment).done;
    assert.equal(existsSync(join(cluster.directory, ".gatehouse")), false);
    return result;
  }

  const config = (server: string, user: object, authority = certificateAuthority): string =>
    JSON.stringify({
      clusters: [{ name: "x", cluster: { server, "certificate-authority-data": authority } }],
      users: [{ name: "x", user }],
      contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
    });

  function refused({ code, stderr }: CliResult, message: RegExp, expected = 1): void {
    assert.match(stderr, message);
    assert.match(stderr, /^error: [^\n]*\n$/, "one line");
    assert.equal(code, expected);
  }

  const wrong: [what: string, kubeconfig: () => string, message: RegExp][] = [
    [
      "nobody listens",
      () => config("https://127.0.0.1:1", { token: cluster.token }),
      /^error: the cluster of context "x" does not answer \(ECONNREFUSED\): see whether it runs/,
    ],
    [
      "the credentials are not valid any more",
      () => config(cluster.url, { token: "of yesterday" }),
      /^error: the cluster of context "x" does not accept this user's credentials: log in again/,
    ],
    [
      "another cluster answers there",
      () => config(cluster.url, { token: cluster.token }, strange),
      /^error: the certificate of the cluster of context "x" is not the one the kubeconfig trusts \([A-Z_]+\): renew/,
    ],
    [
      "the program to log in with is not there",
      () => config(cluster.url, { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "no-such-login" } }),
      /^error: user "x" logs in with no-such-login, which is not installed/,
    ],
    ["it is not in the kubeconfig", () => "{}", /^error: context "x" is not in /],
    ["the kubeconfig is none", () => "{{{", /^error: kubeconfig .*other cannot be read: /],
  ];
  for (const [what, kubeconfig, message] of wrong) {
    for (const command of ["up", "down"]) {
      test(`${command}: ${what}`, async () =>
        refused(await gatehouse(kubeconfig(), command, "--context", "x"), message));
    }
  }

  test("status: a context that is not in the kubeconfig is a mistake, not a cluster that is not there", async () => {
    refused(await gatehouse("{}", "status", "--context", "x"), /^error: context "x" is not in /);
  });

  test("status: a cluster on which nothing was installed from here", async () => {
    const { code, stdout } = await gatehouse(config(cluster.url, { token: cluster.token }), "status", "--context", "x");
    assert.equal(code, 1);
    assert.match(stdout, /cluster\/x: nothing was installed on it from here: gatehouse up --context x does that/);
  });

  for (const command of ["stop", "start"]) {
    test(`${command}: a cluster of somebody's is not stopped from here, nor started`, async () => {
      const result = await gatehouse(config(cluster.url, { token: cluster.token }), command, "--context", "x");
      refused(
        result,
        /^error: the cluster of context "x" is not (stopped|started) from here: gatehouse (down|up) --context x /,
        2,
      );
    });
  }

  const current: [what: string, kubeconfig: string, message: RegExp][] = [
    ["no context is there", "{}", /^error: no current context in .*other: .*KUBECONFIG/],
    [
      "none is current",
      config("https://127.0.0.1:1", {}),
      /^error: no current context in .*: name one of x with --context/,
    ],
    ["the kubeconfig is none", "{{{", /^error: kubeconfig .*other cannot be read: /],
  ];
  for (const [what, kubeconfig, message] of current) {
    test(`--cluster current: ${what}`, async () =>
      refused(await gatehouse(kubeconfig, "up", "--cluster", "current"), message));
  }
});
