// What clients rely on beyond single verbs, over real connections: the forms of answers, watches, and what is said of writes.

import assert from "node:assert/strict";
import { createPublicKey, type JsonWebKey, verify } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { after, before, describe, test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Status } from "@gatehouse/apimachinery/status-error";
import { startTestServer, type TestServer } from "./testing.ts";

interface Reply<T> {
  code: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: T & Status & KubeObject;
}

interface WatchEvent {
  type: string;
  object: KubeObject & Status & { rows?: { object: KubeObject }[] };
}

interface Table {
  columnDefinitions: object[];
  rows: { object: { kind: string } }[];
}

const maps = "/api/v1/namespaces/default/configmaps";

describe("clients over HTTPS", () => {
  let cluster: TestServer;
  before(async () => {
    cluster = await startTestServer({ tls: true });
  });
  after(() => cluster.close());

  function send<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply<T>> {
    const { hostname, port } = new URL(cluster.url);
    const text = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
    const all = {
      authorization: `Bearer ${cluster.token}`,
      "content-type": "application/json",
      // Node sends none by itself with a DELETE.
      "content-length": Buffer.byteLength(text),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const options = { hostname, port, path, method, ca: cluster.ca, agent: false, headers: all };
      const outgoing = httpsRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => {
          const answer = Buffer.concat(chunks).toString();
          const json = (/^\{[^\n]*$/.test(answer) ? JSON.parse(answer) : {}) as Reply<T>["json"];
          resolve({ code: response.statusCode ?? 0, headers: response.headers, text: answer, json });
        });
      });
      outgoing.once("error", reject);
      outgoing.end(text);
    });
  }

  const make = (name: string, more: object = {}) =>
    send("POST", maps, { metadata: { name, ...more }, data: { key: "value" } });

  /** The events of a watch that ends by itself. */
  async function events(path: string, accept = "application/json"): Promise<WatchEvent[]> {
    const { text } = await send("GET", path, undefined, { accept });
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as WatchEvent);
  }

  describe("forms of answers", () => {
    test("a Table carries no object, its metadata or all of it", async () => {
      await make("tabled");
      const accept = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" };
      const kinds = await Promise.all(
        ["None", "Metadata", "Object"].map(async (include) => {
          const { json } = await send<Table>("GET", `${maps}/tabled?includeObject=${include}`, undefined, accept);
          return json.rows[0]?.object?.kind;
        }),
      );
      assert.deepEqual(kinds, [undefined, "PartialObjectMetadata", "ConfigMap"]);
    });

    test("metadata alone, in get, list and watch", async () => {
      await make("partial", { labels: { partial: "1" } });
      const as = (kind: string) => ({ accept: `application/json;as=${kind};g=meta.k8s.io;v=v1` });
      const one = await send("GET", `${maps}/partial`, undefined, as("PartialObjectMetadata"));
      const path = `${maps}?labelSelector=partial`;
      const list = await send<{ items: object[] }>("GET", path, undefined, as("PartialObjectMetadataList"));
      const [event] = await events(`${path}&watch=1&timeoutSeconds=1`, as("PartialObjectMetadata").accept);
      for (const object of [one.json, list.json.items[0], event?.object]) {
        const { kind, apiVersion, ...rest } = object as KubeObject;
        assert.deepEqual(
          [kind, apiVersion, Object.keys(rest)],
          ["PartialObjectMetadata", "meta.k8s.io/v1", ["metadata"]],
        );
      }
      assert.equal(list.json.kind, "PartialObjectMetadataList");
    });

    test("clients that would like protobuf, or ask for anything, get JSON and are told so", async () => {
      for (const accept of ["application/vnd.kubernetes.protobuf,application/json", "*/*", "application/json;q=0.9"]) {
        const { code, headers } = await send("GET", maps, undefined, { accept });
        assert.deepEqual([code, headers["content-type"]], [200, "application/json"], accept);
      }
    });

    test("YAML is for those who ask for it, and 406 for those who take nothing there is", async () => {
      await make("shown");
      const yaml = await send("GET", `${maps}/shown`, undefined, { accept: "application/yaml" });
      assert.deepEqual([yaml.code, yaml.headers["content-type"]], [200, "application/yaml"]);
      assert.match(yaml.text, /^kind: ConfigMap$/m);
      const browser = "text/html,application/xhtml+xml,*/*;q=0.8";
      assert.equal((await send("GET", `${maps}/shown`, undefined, { accept: browser })).json.kind, "ConfigMap");
      for (const accept of ["text/html", "application/json;as=Chart;v=v1;g=meta.k8s.io"]) {
        const body = { metadata: { name: "unread" } };
        assert.equal((await send("POST", maps, body, { accept })).code, 406, accept);
      }
      assert.equal((await send("GET", `${maps}/unread`)).code, 404, "nothing was done");
    });

    test("a Table includes what there is to include", async () => {
      const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
      const { code, json } = await send("GET", `${maps}?includeObject=All`, undefined, { accept });
      assert.deepEqual([code, json.reason], [400, "BadRequest"]);
      assert.equal((await send("GET", `${maps}?includeObject=All`)).code, 200, "of no matter without a Table");
    });

    test("a slash at the end of a path means nothing", async () => {
      assert.equal((await send("GET", `${maps}/`)).json.kind, "ConfigMapList");
      assert.equal((await send("GET", "/api/v1/namespaces/default/")).json.kind, "Namespace");
    });

    test("documents are known again by their ETag", async () => {
      for (const path of ["/openapi/v3/api/v1", "/openapi/v2"]) {
        const { headers } = await send("GET", path);
        const again = await send("GET", path, undefined, { "if-none-match": headers["etag"] ?? "" });
        assert.deepEqual([again.code, again.text], [304, ""], path);
        assert.equal((await send("GET", path, undefined, { "if-none-match": '"another"' })).code, 200);
      }
    });

    test("health names its checks, metrics count requests", async () => {
      assert.match(
        (await send("GET", "/readyz?verbose")).text,
        /^\[\+\]ping ok\n\[\+\]etcd ok\nreadyz check passed\n$/,
      );
      assert.equal((await send("GET", "/livez/ping")).text, "ok");
      assert.equal((await send("GET", "/livez/nothing")).code, 404);
      await send("GET", "/api/v1/namespaces/default/endpoints/nobody");
      await send("GET", "/api/v1/gadgets");
      const { text, headers } = await send("GET", "/metrics");
      assert.match(headers["content-type"] ?? "", /^text\/plain; version=0\.0\.4/);
      const labels = 'code="404",verb="GET",group="",version="v1",resource="endpoints",subresource=""';
      assert.ok(text.includes(`apiserver_request_total{${labels}} 1\n`), text);
      assert.match(text, /^apiserver_storage_objects\{resource="namespaces"\} [4-9]$/m);
      assert.match(text, /^process_resident_memory_bytes \d{7,}$/m);
      // Words of strangers are no labels.
      assert.doesNotMatch(text, /gadgets/);
    });
  });

  describe("watches", () => {
    test("the state comes first, and a bookmark of the same kind marks its end", async () => {
      await make("listed", { labels: { watchlist: "1" } });
      const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
      const [added, bookmark] = await events(`${maps}?${query}&labelSelector=watchlist&timeoutSeconds=1`);
      assert.deepEqual([added?.type, added?.object.metadata.name], ["ADDED", "listed"]);
      assert.deepEqual([bookmark?.type, bookmark?.object.kind], ["BOOKMARK", "ConfigMap"]);
      assert.deepEqual(bookmark?.object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
      assert.ok(Number(bookmark?.object.metadata.resourceVersion) >= Number(added?.object.metadata.resourceVersion));
    });

    test("of one object, by its name and by the old path", async () => {
      await make("watched");
      await make("watched-not");
      for (const path of [
        `${maps}?watch=1&fieldSelector=metadata.name%3Dwatched&timeoutSeconds=1`,
        `${maps.replace("/v1/", "/v1/watch/")}/watched?timeoutSeconds=1`,
      ]) {
        const seen = (await events(path)).map(({ type, object }) => `${type} ${object.metadata.name}`);
        assert.deepEqual(seen, ["ADDED watched"], path);
      }
      assert.equal((await send("POST", maps.replace("/v1/", "/v1/watch/"), {})).code, 404);
    });

    test("what leaves the selection, and what is deleted, is DELETED under the revision of the change", async () => {
      const { json } = await make("leaving", { labels: { chosen: "1" } });
      const from = json.metadata.resourceVersion;
      const left = await send("PATCH", `${maps}/leaving`, { metadata: { labels: null } }, mergePatch);
      await send("PATCH", `${maps}/leaving`, { metadata: { labels: { chosen: "1" } } }, mergePatch);
      await send("DELETE", `${maps}/leaving`);
      const seen = await events(`${maps}?watch=1&labelSelector=chosen&timeoutSeconds=1&resourceVersion=${from}`);
      assert.deepEqual(
        seen.map(({ type }) => type),
        ["DELETED", "ADDED", "DELETED"],
      );
      const [first, second, last] = seen.map(({ object }) => Number(object.metadata.resourceVersion));
      assert.equal(first, Number(left.json.metadata.resourceVersion));
      assert.ok(Number(last) > Number(second));
    });

    test("as Tables, every event is one", async () => {
      await make("tables", { labels: { tables: "1" } });
      const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
      const [event] = await events(`${maps}?watch=1&labelSelector=tables&timeoutSeconds=1`, accept);
      assert.deepEqual([event?.object.kind, event?.object.rows?.length], ["Table", 1]);
    });
  });

  describe("writes", () => {
    test("a field said twice is warned of, refused or passed over", async () => {
      const body = (name: string) => `{"metadata":{"name":"${name}"},"data":{"a":"1","a":"2"}}`;
      const warned = await send("POST", maps, body("twice"));
      assert.deepEqual([warned.code, warned.headers["warning"]], [201, '299 - "duplicate field \\"data.a\\""']);
      const refused = await send("POST", `${maps}?fieldValidation=Strict`, body("strict"));
      assert.equal(refused.code, 400);
      assert.match(refused.json.message, /strict decoding error: duplicate field "data\.a"$/);
      const passed = await send("POST", `${maps}?fieldValidation=Ignore`, body("ignored"));
      assert.deepEqual([passed.code, passed.headers["warning"]], [201, undefined]);
      const patch = await send(
        "PATCH",
        `${maps}/twice?fieldValidation=Strict`,
        '{"data":{"b":"1","b":"2"}}',
        mergePatch,
      );
      assert.match(patch.json.message, /duplicate field "data\.b"/);
    });

    test("dryRun stores nothing, whatever the verb", async () => {
      const before = await make("rehearsed");
      const url = `${maps}/rehearsed?dryRun=All`;
      const put = await send<{ data: object }>("PUT", url, { metadata: { name: "rehearsed" }, data: { key: "put" } });
      assert.deepEqual([put.code, put.json.data], [200, { key: "put" }]);
      assert.equal((await send("PATCH", url, { data: { key: "patch" } }, mergePatch)).code, 200);
      assert.equal((await send("POST", `${maps}?dryRun=All`, { metadata: { generateName: "dry-" } })).code, 201);
      assert.equal((await send("DELETE", url)).code, 200);
      const collection = await send("DELETE", `${maps}?dryRun=All&fieldSelector=metadata.name%3Drehearsed`);
      assert.equal(collection.code, 200);
      assert.equal((await send("DELETE", maps, { dryRun: ["All"] })).code, 200);
      const after = await send("GET", `${maps}/rehearsed`);
      assert.deepEqual(after.json.metadata, before.json.metadata);
      const { json } = await send<{ items: KubeObject[] }>("GET", maps);
      assert.deepEqual(
        json.items.filter(({ metadata }) => metadata.name.startsWith("dry-")),
        [],
      );
      assert.equal((await send("DELETE", `${maps}/rehearsed?dryRun=Some`)).code, 422);
    });

    test("bodies of 3 MB are taken, larger ones refused; annotations have 256 KiB together", async () => {
      const withData = (length: number) => ({ metadata: { name: "large" }, data: { key: "x".repeat(length) } });
      assert.equal((await send("POST", maps, withData(1024 * 1024 - 100))).code, 201);
      assert.match(
        (await send("POST", maps, withData(1024 * 1024 + 1))).json.message,
        /Too long: may not be more than 1048576 bytes/,
      );
      const huge = await send("POST", maps, withData(3 * 1024 * 1024)).catch(() => undefined);
      if (huge) assert.equal(huge.code, 413);
      const annotations = Object.fromEntries([1, 2, 3].map((at) => [`a${at}`, "x".repeat(90_000)]));
      const { code, json } = await make("noted", { annotations });
      assert.deepEqual([code, json.details?.causes?.[0]?.field], [422, "metadata.annotations"]);
    });

    test("the same again keeps the revision, and causes say field and fault", async () => {
      const first = await make("same");
      const again = await send("PUT", `${maps}/same`, { metadata: { name: "same" }, data: { key: "value" } });
      assert.equal(again.json.metadata.resourceVersion, first.json.metadata.resourceVersion);
      const deployment = { metadata: { name: "Wrong_Name" }, spec: { replicas: -1 } };
      const { json } = await send("POST", "/apis/apps/v1/namespaces/default/deployments", deployment);
      const causes = json.details?.causes?.map(({ field, reason }) => `${field} ${reason}`) ?? [];
      assert.ok(causes.includes("metadata.name FieldValueInvalid"), causes.join());
      assert.ok(causes.includes("spec.selector FieldValueRequired"), causes.join());
    });
  });

  test("the root names what is served, and the issuer's keys prove tokens", async () => {
    const { paths } = (await send<{ paths: string[] }>("GET", "/")).json;
    for (const path of ["/api/v1", "/apis/apps", "/apis/apps/v1", "/metrics", "/openapi/v2", "/readyz", "/version"])
      assert.ok(paths.includes(path), path);
    const configuration = await send<{ issuer: string }>("GET", "/.well-known/openid-configuration");
    const { keys } = (await send<{ keys: JsonWebKey[] }>("GET", "/openid/v1/jwks")).json;
    const account = "/api/v1/namespaces/default/serviceaccounts";
    await send("POST", account, { metadata: { name: "proven" } });
    const issued = await send<{ status: { token: string } }>("POST", `${account}/proven/token`, {});
    const [header = "", claims = "", signature = ""] = issued.json.status.token.split(".");
    const key = createPublicKey({ key: keys[0] as JsonWebKey, format: "jwk" });
    const options = { key, dsaEncoding: "ieee-p1363" as const };
    assert.ok(verify("sha256", Buffer.from(`${header}.${claims}`), options, Buffer.from(signature, "base64url")));
    const { iss } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { iss: string };
    assert.equal(iss, configuration.json.issuer);
    assert.ok(!Object.hasOwn(keys[0] ?? {}, "d"), "the private key stays here");
  });

  test("nil lists, as Go writes them in JSON, are lists of nothing", async () => {
    const review = { spec: { namespace: "default" }, status: { resourceRules: null, nonResourceRules: null } };
    const rules = await send("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", review);
    assert.equal(rules.code, 201, rules.text);
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "nil" };
    const metadata = { name: "nil", creationTimestamp: null, labels: null };
    const containers = [{ name: "main", image: "a", env: null, ports: null, resources: {} }];
    const selector = { matchLabels: { a: "b" } };
    const template = { metadata: { labels: { a: "b" }, creationTimestamp: null }, spec: { containers, volumes: null } };
    for (const [path, body] of [
      [maps, { metadata, data: null, binaryData: null }],
      [`${rbac}/roles`, { metadata, rules: null }],
      [`${rbac}/rolebindings`, { metadata, roleRef, subjects: null }],
      [
        "/apis/apps/v1/namespaces/default/deployments",
        { metadata, spec: { selector, template, strategy: {} }, status: {} },
      ],
      [
        "/api/v1/namespaces/default/services",
        { metadata, spec: { ports: [{ port: 80, targetPort: 0 }], selector: null } },
      ],
      ["/api/v1/namespaces/default/endpoints", { metadata, subsets: null }],
      [
        "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
        { metadata, addressType: "IPv4", endpoints: null, ports: null },
      ],
      [
        "/apis/coordination.k8s.io/v1/namespaces/default/leases",
        { metadata, spec: { holderIdentity: "a", acquireTime: null } },
      ],
    ] as const) {
      const { code, text } = await send("POST", path, body);
      assert.equal(code, 201, text);
    }
  });

  test("a version that is not served is answered with those that are", async () => {
    const { code, json } = await send("GET", "/apis/autoscaling/v1/horizontalpodautoscalers");
    assert.equal(code, 404);
    assert.match(
      json.message,
      /^the server could not find the requested resource: horizontalpodautoscalers are served as autoscaling\/v2$/,
    );
    assert.match(
      (await send("GET", "/apis/apps/v1/gadgets")).json.message,
      /^the server could not find the requested resource$/,
    );
  });

  test("methods that HTTP knows and Kubernetes does not are refused", async () => {
    for (const method of ["OPTIONS", "TRACE"]) assert.equal((await send(method, `${maps}/x`)).code, 405, method);
    assert.equal((await send("OPTIONS", "/version")).code, 405);
    assert.equal((await send("GET", maps)).headers["access-control-allow-origin"], undefined);
  });
});

const mergePatch = { "content-type": "application/merge-patch+json" };
