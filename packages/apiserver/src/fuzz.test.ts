// Thousands of broken requests, the same ones for the same seed: every one is answered, none by a 500, and the server lives.

import assert from "node:assert/strict";
import { before, after, describe, it } from "node:test";
import { type ApiConnection, createApiConnection } from "@gatehouse/apimachinery/api-connection";
import { text } from "@gatehouse/apimachinery/api-client";
import { startTestServer, type TestServer } from "./testing.ts";

const rounds = 1_200;
const seed = Number(process.env.GATEHOUSE_TEST_SEED ?? 4);

/** xorshift32. */
function seeded(state: number): (below: number) => number {
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const random = seeded(seed);
const pick = <T>(values: readonly T[]): T => values[random(values.length)] as T;

/** Bits flipped, parts cut out, doubled, or replaced by what parsers stumble over. */
function mutated(source: Buffer): Buffer {
  let bytes = Buffer.from(source);
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(bytes.length + 1);
    const end = Math.min(bytes.length, at + random(20));
    const [head, middle, tail] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
    const ways = [
      () => Buffer.concat([head, tail]),
      () => Buffer.concat([head, middle, middle, tail]),
      () => Buffer.concat([head, Buffer.from(pick(stumblingBlocks)), tail]),
      () => Buffer.concat([head, Buffer.from([random(256)]), middle, tail]),
    ];
    bytes = pick(ways)();
  }
  return bytes;
}

const stumblingBlocks = [
  "null", "[]", "{}", '"', "\\", "\\u0000", "-1", "1e999", "9007199254740993", "true", "\u0000", "\ufeff", "__proto__",
  '"constructor":{},', "~1", "~", "/-", "/../", "..", "%2e%2e%2f", "%", "%00", "k:{", "f:", "v:", ".", "*a", "&a ",
  "!!js/function ", "- - - ", "[[[[[[", "{{{{", "\n\t", "\r\n", ",", "=", "!", "notin (", "in ()", "\xff\xfe",
]; // prettier-ignore

const configMap = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name: "fuzzed",
    namespace: "default",
    labels: { app: "a" },
    managedFields: [
      {
        manager: "m",
        operation: "Update",
        apiVersion: "v1",
        time: "2026-01-01T00:00:00Z",
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:data": { ".": {}, "f:a": {} },
          "f:metadata": { "f:labels": { 'k:{"name":"x"}': {}, "v:1": {} } },
        },
      },
    ],
  },
  data: { a: "1" },
};
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "fuzzed" },
  spec: {
    containers: [
      { name: "c", image: "traefik/whoami", ports: [{ containerPort: 80 }], env: [{ name: "A", value: "b" }] },
    ],
  },
};
const yaml =
  "apiVersion: v1\nkind: ConfigMap\nmetadata: &m\n  name: fuzzed\n  labels: {app: a}\ndata:\n  a: |\n    text\n  b: 'c'\n";
/** A ConfigMap in Kubernetes' protobuf envelope: runtime.Unknown with TypeMeta and the object's own message. */
const protobuf = Buffer.concat([
  Buffer.from("k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x12", "latin1"),
  Buffer.from("\x0a\x08\x0a\x06fuzzed\x12\x06\x0a\x01a\x12\x011", "latin1"),
]);

const bodies: [type: string, method: string, path: string, body: Buffer][] = [
  ["application/json", "POST", "/api/v1/namespaces/default/configmaps", Buffer.from(JSON.stringify(configMap))],
  ["application/json", "POST", "/api/v1/namespaces/default/pods?dryRun=All", Buffer.from(JSON.stringify(pod))],
  ["application/yaml", "POST", "/api/v1/namespaces/default/configmaps", Buffer.from(yaml)],
  ["application/vnd.kubernetes.protobuf", "POST", "/api/v1/namespaces/default/configmaps", protobuf],
  ["application/json-patch+json", "PATCH", "/api/v1/namespaces/default/configmaps/target",
    Buffer.from('[{"op":"add","path":"/data/a~1b","value":{"x":[1]}},{"op":"move","from":"/data/k","path":"/data/l"},{"op":"test","path":"/kind","value":"ConfigMap"}]')],
  ["application/merge-patch+json", "PATCH", "/api/v1/namespaces/default/configmaps/target",
    Buffer.from('{"data":{"a":"b","k":null},"metadata":{"labels":{"x":"y"},"finalizers":null}}')],
  ["application/strategic-merge-patch+json", "PATCH", "/api/v1/namespaces/default/configmaps/target",
    Buffer.from('{"metadata":{"$patch":"merge","$deleteFromPrimitiveList/finalizers":["a/b"],"$setElementOrder/finalizers":["a/b"]},"data":{"$retainKeys":["a"],"a":"c"}}')],
  ["application/apply-patch+yaml", "PATCH", "/api/v1/namespaces/default/configmaps/applied?fieldManager=fuzz", Buffer.from(yaml)],
  ["application/json", "DELETE", "/api/v1/namespaces/default/configmaps/none",
    Buffer.from('{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,"preconditions":{"uid":"x"},"propagationPolicy":"Foreground"}')],
]; // prettier-ignore

const paths = [
  "/api/v1/namespaces/default/configmaps/target",
  "/apis/apps/v1/namespaces/default/deployments/x/scale",
  "/api/v1/namespaces/default/pods/p/log?tailLines=5&container=c",
  "/openapi/v3/apis/apps/v1?hash=x",
  "/api/v1/namespaces/kube-system/finalize",
  "/readyz?verbose&exclude=ping",
];
const queries = [
  "labelSelector=app in (a,b),!c,tier notin (x),d=e,f!=g",
  "fieldSelector=metadata.name=a,metadata.namespace!=b\\,c",
  `continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":3,"start":"default/a"}').toString("base64url")}&limit=2`,
  "resourceVersion=1&resourceVersionMatch=Exact&limit=1",
  "watch=1&timeoutSeconds=1&resourceVersion=999999999&allowWatchBookmarks=true&sendInitialEvents=true",
];

describe(`broken requests (seed ${seed}, GATEHOUSE_TEST_SEED)`, () => {
  let server: TestServer;
  let connection: ApiConnection;
  before(async () => {
    server = await startTestServer();
    connection = await createApiConnection({ connect: () => server.connect() });
    const target = { ...configMap, metadata: { name: "target", finalizers: ["a/b"] }, data: { k: "v" } };
    assert.equal((await ask("POST", "/api/v1/namespaces/default/configmaps", JSON.stringify(target))).code, 201);
  });
  after(async () => {
    connection.close();
    await server.close();
  });

  async function ask(method: string, path: string, body?: string | Buffer, type = "application/json") {
    const headers = { "content-type": type };
    const answer = await connection.request({ method, path, headers, ...(body === undefined ? {} : { body }) });
    return { code: answer.statusCode ?? 0, text: await text(answer) };
  }

  function judge(answer: { code: number; text: string }, what: () => string): void {
    // As Kubernetes: what an apply says of fields that are not in the schema is a 500.
    if (/failed to create typed patch object/.test(answer.text)) return;
    // 504: a revision of the future.
    assert.ok(
      answer.code >= 200 && (answer.code < 500 || answer.code === 504),
      `${what()}: ${answer.code} ${answer.text}`,
    );
    if (answer.code < 400) return;
    assert.equal((JSON.parse(answer.text) as { kind: string }).kind, "Status", what());
  }

  for (const [type, method, path, body] of bodies) {
    it(`${method} ${type}: ${path}`, async () => {
      for (let round = 0; round < rounds / 4; round++) {
        const broken = mutated(body);
        judge(
          await ask(method, path, broken, type),
          () => `${JSON.stringify(broken.toString("latin1"))} (round ${round})`,
        );
        if (method === "POST") await ask("DELETE", "/api/v1/namespaces/default/configmaps/fuzzed");
      }
    });
  }

  it("paths and queries", async () => {
    for (let round = 0; round < rounds; round++) {
      const path = mutated(Buffer.from(pick(paths)))
        .toString("latin1")
        .replace(/[^\x21-\x7e]/g, "%$&")
        .replaceAll("#", "");
      // A path that a client can send: no control characters, and a slash first.
      const sent = `/${path.replace(/[^\x21-\x7e]/g, "")}`;
      const method = pick(["GET", "HEAD", "OPTIONS", "TRACE"]);
      const { code, text: body } = await ask(method, sent);
      assert.ok(code < 500, `${method} ${sent}: ${code} ${body}`);
    }
  });

  it("selectors, continue tokens and revisions", async () => {
    for (let round = 0; round < rounds; round++) {
      const query = mutated(Buffer.from(pick(queries))).toString("latin1");
      const encoded = query
        .split("&")
        .map((part) => part.split("=").map(encodeURIComponent).join("="))
        .join("&");
      if (/(^|&)watch(=|&|$)/.test(encoded) && !/timeoutSeconds=1(&|$)/.test(encoded)) continue;
      if (encoded.startsWith("watch") && round % 40 > 0) continue;
      judge(await ask("GET", `/api/v1/configmaps?${encoded}`), () => encoded);
    }
  });

  it("and after all of them it answers as ever", async () => {
    assert.equal((await ask("GET", "/api/v1/namespaces/default/configmaps/target")).code, 200);
  });
});
