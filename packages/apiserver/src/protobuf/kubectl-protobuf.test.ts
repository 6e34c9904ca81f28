// The protobuf bodies that the real kubectl sends: what is stored must be what the same object, sent as JSON, becomes.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { apiVersionOf, type ResourceType } from "@gatehouse/apimachinery/resource-type";
import { stringify } from "yaml";
import { builtInDefinitions } from "../kinds/built-in.ts";
import { startTestServer, type TestServer } from "../testing.ts";

function kubectlIsThere(): boolean {
  try {
    execFileSync("kubectl", ["version", "--client"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const protobuf = "Content-Type: application/vnd.kubernetes.protobuf";

const commands: string[] = [
  "create namespace team",
  "create configmap settings --from-literal=a=1 --from-literal=empty=",
  "create secret generic hidden --from-literal=password=grüß --type=example.com/custom",
  "create secret docker-registry pull --docker-server=r.example.com --docker-username=u --docker-password=p",
  "create serviceaccount robot",
  "create deployment web --image=traefik/whoami:v1.10 --replicas=0 --port=80",
  "create deployment command --image=traefik/whoami:v1.10 -- sleep 1",
  "create service clusterip plain --tcp=80:http --tcp=443",
  "create service clusterip headless --clusterip=None --tcp=80",
  "create service nodeport node --tcp=80:8080 --node-port=30080",
  "create service loadbalancer lb --tcp=80",
  "create service externalname away --external-name=example.com",
  "create role reader --verb=get,list --resource=pods,deployments.apps --resource-name=web",
  "create rolebinding readers --role=reader --user=u --group=g --serviceaccount=demo:robot",
  "create clusterrole urls --verb=get --non-resource-url=/logs/*",
  "create clusterrole summed --aggregation-rule=team=a",
  "create clusterrolebinding everybody --clusterrole=urls --group=system:authenticated",
  "create ingress site --class=own --rule=a.example.com/path*=plain:80,tls=cert --default-backend=plain:http",
];

describe("kubectl speaks protobuf", { skip: kubectlIsThere() ? false : "kubectl is not installed" }, () => {
  let server: TestServer;
  let client: ApiClient;
  let directory: string;

  before(async () => {
    server = await startTestServer({ tls: true });
    client = await server.client();
    directory = await mkdtemp(join(tmpdir(), "gatehouse-kubectl-"));
    const cluster = { server: server.url, "certificate-authority-data": Buffer.from(server.ca).toString("base64") };
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "test", cluster }],
      users: [{ name: "test", user: { token: server.token } }],
      contexts: [{ name: "test", context: { cluster: "test", user: "test", namespace: "demo" } }],
      "current-context": "test",
    };
    await writeFile(join(directory, "kubeconfig"), stringify(config));
    await kubectl("create namespace demo");
    await kubectl("create serviceaccount default");
  });

  after(async () => {
    await server.close();
    await rm(directory, { recursive: true });
  });

  /** Runs kubectl, which must succeed. */
  function kubectl(command: string): Promise<{ stdout: string; stderr: string }> {
    const env = { ...process.env, KUBECONFIG: join(directory, "kubeconfig"), KUBECACHEDIR: join(directory, "cache") };
    return new Promise((resolve, reject) => {
      execFile("kubectl", command.split(" "), { env }, (error, stdout, stderr) => {
        if (error) reject(new Error(`kubectl ${command}: ${stderr}`));
        else resolve({ stdout, stderr });
      });
    });
  }

  function typeOf({ apiVersion, kind }: KubeObject): ResourceType {
    const found = builtInDefinitions().find(({ type }) => apiVersionOf(type) === apiVersion && type.kind === kind);
    assert.ok(found, `${apiVersion} ${kind}`);
    return found.type;
  }

  for (const command of commands) {
    test(command, async () => {
      // No shell is between us and kubectl: -- ends the flags.
      const [head = "", tail] = command.split(" -- ");
      const withFlags = (flags: string): string => `${head} ${flags}${tail ? ` -- ${tail}` : ""}`;
      const wanted = JSON.parse((await kubectl(withFlags("--dry-run=client -o json"))).stdout) as KubeObject;
      const type = typeOf(wanted);
      if (type.namespaced) wanted.metadata.namespace = "demo";
      const asJson = await client.create(type, wanted, { dryRun: true });
      const { stderr } = await kubectl(withFlags("-v=7"));
      assert.ok(stderr.includes(protobuf), stderr);
      const stored = await client.get(type, wanted.metadata.name, wanted.metadata.namespace);
      assert.deepEqual(comparable(stored), comparable(asJson));
    });
  }

  test("auth can-i, also for others", async () => {
    assert.equal((await kubectl("auth can-i create deployments.apps")).stdout.trim(), "yes");
    await kubectl("create role only-get --verb=get --resource=pods");
    await kubectl("create rolebinding only-get --role=only-get --user=jane");
    assert.equal((await kubectl("auth can-i get pods --as=jane")).stdout.trim(), "yes");
    await assert.rejects(kubectl("auth can-i delete pods --as=jane"));
    assert.match((await kubectl("auth can-i --list --as=jane")).stdout, /pods +\[\] +\[\] +\[get\]/);
  });

  test("auth whoami", async () => {
    const { stdout, stderr } = await kubectl("auth whoami -v=7");
    assert.ok(stderr.includes(protobuf), stderr);
    assert.match(stdout, /Username +administrator/);
  });

  test("create token, with audience and duration", async () => {
    const { stdout, stderr } = await kubectl("create token default --audience=api --duration=700s -v=7");
    assert.ok(stderr.includes(protobuf), stderr);
    const claims = JSON.parse(Buffer.from(stdout.split(".")[1] ?? "", "base64url").toString("utf8")) as {
      aud: string[];
      exp: number;
      iat: number;
    };
    assert.deepEqual(claims.aud, ["api"]);
    assert.equal(claims.exp - claims.iat, 700);
    await assert.rejects(kubectl("create token default --duration=599s"), /10 minutes/);
  });

  test("a kind that is not served is said so", async () => {
    await assert.rejects(kubectl("create quota none --hard=pods=1"), /this cluster has no ResourceQuota API/);
  });

  test("an invalid object gets its reasons", async () => {
    await assert.rejects(kubectl("create deployment Web --image=x"), /Invalid value: "Web"/);
  });
});

/** An object without what differs between any two: identity, time, what the server gives out, and Go's empty structs. */
function comparable({ metadata, ...rest }: KubeObject): unknown {
  const { name, namespace, labels, annotations } = metadata;
  const spec = { ...(rest["spec"] as Record<string, unknown> | undefined) };
  if (spec["clusterIP"] !== "None") for (const key of ["clusterIP", "clusterIPs"]) delete spec[key];
  if (Array.isArray(spec["ports"]) && !name.startsWith("node")) {
    spec["ports"] = spec["ports"].map(({ nodePort: _nodePort, ...port }: Record<string, unknown>) => port);
  }
  return withoutEmpty({ ...rest, spec, metadata: { name, namespace, labels, annotations } });
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(([key, item]) => [key, withoutEmpty(item)] as const);
  return Object.fromEntries(
    entries.filter(([, item]) => item != null && !(typeof item === "object" && Object.keys(item).length === 0)),
  );
}
