// What kubectl makes of discovery, OpenAPI, Tables and patches: the real program against a real server.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { stringify } from "yaml";
import { crd } from "./crd/crd.fixture.ts";
import { startTestServer, type TestServer } from "./testing.ts";

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

function kubectlIsThere(): boolean {
  try {
    execFileSync("kubectl", ["version", "--client"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const container = {
  name: "web",
  image: "traefik/whoami:v1.10",
  env: [
    { name: "A", value: "1" },
    { name: "B", value: "2" },
  ],
};

const deployment = (containers: object[], extra: object = {}): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers, ...extra } },
  },
});

const route = (spec: object): object => ({
  apiVersion: "demo.example.com/v1",
  kind: "Route",
  metadata: { name: "a" },
  spec,
});

describe("kubectl", { skip: kubectlIsThere() ? false : "kubectl is not installed" }, () => {
  let server: TestServer;
  let directory: string;

  before(async () => {
    server = await startTestServer({ tls: true });
    directory = await mkdtemp(join(tmpdir(), "gatehouse-kubectl-"));
    const cluster = { server: server.url, "certificate-authority-data": Buffer.from(server.ca).toString("base64") };
    await writeFile(
      join(directory, "kubeconfig"),
      stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "test", cluster }],
        users: [{ name: "test", user: { token: server.token } }],
        contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
        "current-context": "test",
      }),
    );
  });

  after(async () => {
    await server.close();
    await rm(directory, { recursive: true });
  });

  /** Runs kubectl; `objects` are its standard input. */
  function kubectl(args: string[], ...objects: object[]): Promise<Result> {
    const env = { ...process.env, KUBECONFIG: join(directory, "kubeconfig"), KUBECACHEDIR: join(directory, "cache") };
    return new Promise((resolve) => {
      const child = execFile("kubectl", args, { env }, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      });
      child.stdin?.end(objects.map((object) => stringify(object)).join("---\n"));
    });
  }

  async function succeeds(args: string[], ...objects: object[]): Promise<string> {
    const { code, stdout, stderr } = await kubectl(args, ...objects);
    assert.equal(code, 0, `kubectl ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  const apply = ["apply", "-f", "-"];

  test("apply creates, changes by strategic merge, and leaves alone", async () => {
    assert.match(
      await succeeds(apply, deployment([container], { volumes: [{ name: "d", emptyDir: {} }] })),
      /deployment.apps\/web created/,
    );
    const changed = deployment(
      [
        {
          ...container,
          env: [
            { name: "A", value: "1" },
            { name: "C", value: "3" },
          ],
        },
      ],
      {
        volumes: [{ name: "d", configMap: { name: "settings" } }],
      },
    );
    const diff = await kubectl(["diff", "-f", "-"], changed);
    assert.equal(diff.code, 1, diff.stderr);
    assert.match(diff.stdout, /^-\s+- name: B$/m);
    assert.match(await succeeds(apply, changed), /deployment.apps\/web configured/);
    assert.match(await succeeds(apply, changed), /deployment.apps\/web unchanged/);
    const spec = await succeeds([
      "get",
      "deployment",
      "web",
      "-o",
      "jsonpath={.spec.template.spec.containers[0].env[*].name} {.spec.template.spec.volumes}",
    ]);
    assert.equal(spec, 'A C [{"configMap":{"defaultMode":420,"name":"settings"},"name":"d"}]');
  });

  test("get shows the columns", async () => {
    const [head, line] = (await succeeds(["get", "deployments", "-o", "wide"])).split("\n");
    assert.deepEqual(
      head?.split(/\s{2,}/).map((name) => name.trim()),
      ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"],
    );
    assert.match(line ?? "", /^web\s+0\/2\s+0\s+0\s+\d+s\s+web\s+traefik\/whoami:v1\.10\s+app=web/);
  });

  test("unknown fields are refused by name", async () => {
    const { code, stderr } = await kubectl(
      ["create", "-f", "-"],
      deployment([{ ...container, imagepullPolicy: "Always" }]),
    );
    assert.equal(code, 1);
    assert.match(stderr, /unknown field "spec\.template\.spec\.containers\[0\]\.imagepullPolicy"/);
  });

  test("explain finds its way through references", async () => {
    assert.match(
      await succeeds(["explain", "deployment.spec.template.spec.containers.readinessProbe.httpGet"]),
      /port\s+<IntOrString> -required-/,
    );
    const { code, stderr } = await kubectl(["explain", "deployment.spec.nonsense"]);
    assert.equal(code, 1);
    assert.match(stderr, /field "nonsense" does not exist/);
  });

  test("custom resources are found, explained, shown and merged", async () => {
    const missing = await kubectl(apply, route({}));
    assert.match(
      missing.stderr,
      /no matches for kind "Route" in version "demo.example.com\/v1"\nensure CRDs are installed first/,
    );
    await succeeds(["create", "-f", "-"], crd());
    assert.match(await succeeds(apply, route({ hostnames: ["a.example"] })), /route.demo.example.com\/a created/);
    assert.match(await succeeds(apply, route({ hostnames: ["b.example"] })), /configured/);
    assert.match(await succeeds(["get", "rt"]), /NAME\s+HOSTNAMES\s+ACCEPTED\s+OPEN\s+AGE\na\s+\["b\.example"\]/);
    assert.match(await succeeds(["explain", "route.spec"]), /hostnames\s+<\[\]string>/);
    const wrong = await kubectl(apply, route({ replicas: "many" }));
    assert.match(
      wrong.stderr,
      /The Route "a" is invalid: spec\.replicas: Invalid value: "string": spec\.replicas in body must be of type integer/,
    );
  });

  test("a route that breaks a rule of the Gateway API is refused in the rule's words", async () => {
    const definitions = customResourceDefinitions({ version: "v1.4.0", channel: "standard" });
    await succeeds(["create", "-f", "-"], { apiVersion: "v1", kind: "List", items: definitions });
    const filter = { type: "RequestRedirect", requestRedirect: { statusCode: 302 } };
    const httpRoute = (filters: object[]): object => ({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name: "a" },
      spec: { rules: [{ filters }] },
    });
    const { code, stderr } = await kubectl(apply, httpRoute([filter, filter]));
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^The HTTPRoute "a" is invalid: spec\.rules\[0\]\.filters: Invalid value: "array": RequestRedirect filter cannot be repeated$/m,
    );
    assert.match(await succeeds(apply, httpRoute([filter])), /created/);
  });
});
