// The server over TLS: who gets in, what strangers see, and how requests that make no sense are refused.

import assert from "node:assert/strict";
import { request as httpsRequest, type RequestOptions } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import { after, before, describe, it } from "node:test";
import { createApiClient } from "@gatehouse/apimachinery/api-client";
import type { Status } from "@gatehouse/apimachinery/status-error";
import { configMaps, namespaces, services } from "@gatehouse/apimachinery/types/core-v1";
import { createApiServer } from "./server.ts";
import {
  newServiceAccountKey,
  startTestServer,
  type TestCertificates,
  testCertificates,
  type TestServer,
} from "./testing.ts";

interface Reply {
  code: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: Status & Record<string, unknown>;
}

let certificates: TestCertificates;
let cluster: TestServer;
before(async () => {
  certificates = await testCertificates();
  cluster = await startTestServer({ tls: certificates });
});
after(() => cluster.close());

function send(path: string, options: RequestOptions = {}, body?: string | Buffer): Promise<Reply> {
  const { hostname, port } = new URL(cluster.url);
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest({ hostname, port, path, ca: cluster.ca, agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = response.headers["content-type"]?.startsWith("application/json");
        const json = (isJson && text ? JSON.parse(text) : {}) as Reply["json"];
        resolve({ code: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const bearer = (token: string): RequestOptions => ({ headers: { authorization: `Bearer ${token}` } });
const asAdmin = (headers: Record<string, string> = {}): RequestOptions => ({
  headers: { authorization: `Bearer ${cluster.token}`, ...headers },
});

describe("strangers", () => {
  for (const path of ["/healthz", "/livez", "/readyz"]) {
    it(`read ${path}`, async () => {
      const reply = await send(path);
      assert.deepEqual([reply.code, reply.text], [200, "ok"]);
    });
  }

  it("read /version", async () => assert.match(String((await send("/version")).json.gitVersion), /^v1\.32\./));

  for (const path of [
    "/api",
    "/apis",
    "/openapi/v3",
    "/api/v1/namespaces",
    "/nowhere",
    "/healthz/../api",
    "/livezz",
    "/version/",
  ]) {
    it(`get 401 for ${path}`, async () => {
      const { code, json } = await send(path);
      assert.deepEqual([code, json.kind, json.reason, json.message], [401, "Status", "Unauthorized", "Unauthorized"]);
    });
  }

  it("get 401 with a wrong token, an empty one, or another scheme", async () => {
    for (const authorization of ["Bearer wrong", "Bearer ", "Basic YTpi", `Bearer ${cluster.token}x`]) {
      assert.equal((await send("/api", { headers: { authorization } })).code, 401, authorization);
    }
  });

  it("with a wrong token are let in nowhere, not even where those without any are", async () => {
    for (const path of ["/version", "/readyz"]) assert.equal((await send(path, bearer("wrong"))).code, 401, path);
    assert.equal((await send("/version", asAdmin())).code, 200);
  });

  it("get 401 with a certificate of another authority", async () => {
    const other = await (await testCertificates()).client("administrator", ["system:masters"]);
    assert.equal((await send("/api", other)).code, 401);
  });

  it("get 401 with the server's own certificate, which is not for clients", async () => {
    assert.equal((await send("/api", { cert: certificates.cert, key: certificates.key })).code, 401);
  });
});

describe("identities", () => {
  it("come from a client certificate: CN is the user, O are the groups", async () => {
    const client = await certificates.client("jane", ["dev", "ops"]);
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const headers = { "content-type": "application/json" };
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const { code, json } = await send(path, { ...client, method: "POST", headers }, JSON.stringify(review));
    assert.equal(code, 201);
    assert.deepEqual(json.status, { userInfo: { username: "jane", groups: ["dev", "ops", "system:authenticated"] } });
  });

  it("come from a static token", async () =>
    assert.equal((await send("/api/v1/namespaces", bearer(cluster.token))).code, 200));

  it("are kept apart on one connection each: a bad token is not made good by a certificate", async () => {
    const client = await certificates.client("jane", ["system:masters"]);
    assert.equal((await send("/api/v1/namespaces", client)).code, 200);
    assert.equal((await send("/api/v1/namespaces", { ...client, ...bearer("wrong") })).code, 401);
  });
});

describe("requests that make no sense", () => {
  it("get 404 in Kubernetes' words for what is not served", async () => {
    for (const path of [
      "/api/v1/gadgets",
      "/apis/apps/v1/gadgets",
      "/apis/nowhere.example/v1/things",
      "/nowhere",
      "/api/v1/namespaces/default/pods/x/proxy",
    ]) {
      const { code, json } = await send(path, asAdmin());
      assert.deepEqual(
        [code, json.reason, json.message],
        [404, "NotFound", "the server could not find the requested resource"],
        path,
      );
    }
  });

  it("get 405 for verbs a resource does not take", async () => {
    const attempts = [
      ["POST", "/api/v1/pods"],
      ["DELETE", "/api/v1/namespaces"],
      ["GET", "/apis/authentication.k8s.io/v1/tokenreviews"],
      ["PUT", "/api/v1/namespaces/default/configmaps"],
      ["POST", "/api/v1/namespaces/default/configmaps/x"],
    ] as const;
    for (const [method, path] of attempts) assert.equal((await send(path, { ...asAdmin(), method })).code, 405, path);
  });

  it("get 400 for a malformed URL", async () =>
    assert.equal((await send("/api/v1/namespaces/%zz", asAdmin())).code, 400));

  const post = (body: string | Buffer, contentType = "application/json") =>
    send(
      "/api/v1/namespaces/default/configmaps",
      { ...asAdmin({ "content-type": contentType }), method: "POST" },
      body,
    );

  it("get 400 for a body that is no JSON, no object, or nested without end", async () => {
    assert.equal((await post("{")).code, 400);
    assert.equal((await post("[1]")).code, 400);
    assert.equal((await post("")).code, 400);
    assert.match((await post("[".repeat(100_000))).json.message, /nested deeper/);
  });

  it("get 413 for a body over 3 MiB, and the server lives on", async () => {
    const { code, json } = await post(Buffer.alloc(3 * 1024 * 1024 + 1, 0x20));
    assert.deepEqual([code, json.reason], [413, "RequestEntityTooLarge"]);
    assert.equal((await send("/healthz")).code, 200);
  });

  it("get 415 that names the encoding", async () => {
    const { code, json } = await post("k8s\0", "application/cbor");
    assert.equal(code, 415);
    assert.match(
      json.message,
      /application\/cbor.*accepted media types include: application\/json, application\/yaml, application\/vnd\.kubernetes\.protobuf/,
    );
  });

  it("are understood in YAML too", async () => {
    const yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-yaml}\ndata: &d {a: b}\n";
    const { code, json } = await post(yaml, "application/yaml");
    assert.deepEqual([code, json.data], [201, { a: "b" }]);
    assert.equal((await post("a: [", "application/yaml")).code, 400);
  });
});

describe("a server", () => {
  it("keeps its state across a restart, on whatever port", async () => {
    const { mkdtemp, rm } = await import("node:fs/promises");
    const { tmpdir } = await import("node:os");
    const directory = await mkdtemp(`${tmpdir()}/gatehouse-restart-`);
    const options = {
      statePath: `${directory}/state.db`,
      tls: certificates,
      host: "127.0.0.1",
      port: 0,
      serviceAccountKey: newServiceAccountKey(),
    };
    const first = await createApiServer(options);
    const connect = (server: typeof first) =>
      createApiClient({ connect: () => server.connectInProcess({ user: "a", groups: ["system:masters"] }) });
    const before = await connect(first);
    await before.create(configMaps, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "kept", namespace: "default" },
      data: { a: "b" },
    });
    before.close();
    await first.close();
    await assert.rejects(fetch(`${first.address}/healthz`));

    const second = await createApiServer(options);
    const again = await connect(second);
    assert.deepEqual((await again.get(configMaps, "kept", "default")).data, { a: "b" });
    const slice = await again.json<{ ports: { port: number }[] }>({
      method: "GET",
      path: "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes",
    });
    assert.equal(slice.ports[0]?.port, second.port);
    assert.equal((await again.get(services, "kubernetes", "default")).spec.ports?.[0]?.targetPort, second.port);
    again.close();
    await second.close();
    await rm(directory, { recursive: true });
  });

  it("refuses a ServiceAccount key of the wrong kind, and a port that is taken", async () => {
    const options = { statePath: ":memory:", tls: undefined, host: "127.0.0.1", port: 0 };
    await assert.rejects(createApiServer({ ...options, serviceAccountKey: certificates.ca }));
    const taken = {
      ...options,
      tls: certificates,
      port: cluster.server.port,
      serviceAccountKey: newServiceAccountKey(),
    };
    await assert.rejects(createApiServer(taken), /EADDRINUSE/);
  });

  it("ends watches when it closes", async () => {
    const own = await startTestServer();
    const client = await own.client();
    let closing: Promise<void> | undefined;
    const ended = (async () => {
      const types: string[] = [];
      for await (const { type } of client.watch(namespaces, {})) {
        types.push(type);
        if (types.length === 4) closing = own.close();
      }
      return types;
    })();
    assert.deepEqual(await ended, ["ADDED", "ADDED", "ADDED", "ADDED"]);
    await closing;
  });
});

describe("impersonation", () => {
  it("acts as the other user, and only for those who may", async () => {
    const denied = await send("/api/v1/namespaces", asAdmin({ "impersonate-user": "jane" }));
    assert.match(denied.json.message, /User "jane" cannot list resource "namespaces"/);
    assert.equal(
      (await send("/api/v1/namespaces", asAdmin({ "impersonate-user": "jane", "impersonate-group": "system:masters" })))
        .code,
      200,
    );
    const jane = await certificates.client("jane", []);
    const stolen = await send("/api/v1/namespaces", {
      ...jane,
      headers: { "impersonate-user": "administrator", "impersonate-group": "system:masters" },
    });
    assert.equal(stolen.code, 403);
    assert.match(stolen.json.message, /cannot impersonate resource "users"/);
  });

  it("carries a UID and extra fields, for those who may set each of them", async () => {
    const review = JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" });
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const headers = { "impersonate-uid": "42", "impersonate-extra-example.com%2fScope": "a" };
    const { json } = await send(
      path,
      { method: "POST", ...asAdmin({ "content-type": "application/json", "impersonate-user": "jane", ...headers }) },
      review,
    );
    assert.deepEqual(json["status"], {
      userInfo: {
        username: "jane",
        uid: "42",
        groups: ["system:authenticated"],
        extra: { "example.com/scope": ["a"] },
      },
    });
    const rule = { apiGroups: [""], resources: ["users"], verbs: ["impersonate"] };
    const admin = await cluster.client();
    const named = { metadata: { name: "impersonator" } };
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "impersonator" };
    const subjects = [{ kind: "User", name: "ann" }];
    const base = "/apis/rbac.authorization.k8s.io/v1";
    const post = (plural: string, body: object) =>
      admin.json({ method: "POST", path: `${base}/${plural}`, body: JSON.stringify({ ...named, ...body }) });
    await post("clusterroles", { rules: [rule] });
    await post("clusterrolebindings", { roleRef, subjects });
    const ann = await certificates.client("ann", []);
    for (const [header, message] of [
      ["impersonate-uid", /cannot impersonate resource "uids" in API group "authentication\.k8s\.io"/],
      ["impersonate-extra-scope", /cannot impersonate resource "userextras\/scope"/],
    ] as const) {
      const refused = await send("/api", { ...ann, headers: { "impersonate-user": "jane", [header]: "x" } });
      assert.equal(refused.code, 403);
      assert.match(refused.json.message, message);
    }
  });

  it("is refused without a user, and in forms that are not served", async () => {
    assert.equal((await send("/api", asAdmin({ "impersonate-group": "x" }))).code, 400);
    assert.equal((await send("/api", asAdmin({ "impersonate-user": "x", "impersonate-other": "1" }))).code, 403);
    assert.equal((await send("/api", asAdmin({ "impersonate-uid": "1" }))).code, 400);
  });
});
