// ValidatingAdmissionPolicies at work: which writes they see, what expressions know, and how a refusal reads.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { refusedWith, startTestServer, type TestServer } from "../testing.ts";
import { binding, bindings, configMap, configMaps, policies, policy, rule } from "./admission.fixture.ts";

let cluster: TestServer;
let client: ApiClient;
beforeEach(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
afterEach(() => cluster.close());

/** Puts a policy to use. */
async function enforce(spec: object, bindingSpec: object = {}): Promise<KubeObject> {
  const created = await client.create(policies, policy("p.example.com", spec));
  await client.create(bindings, binding("p.example.com", bindingSpec, "b"));
  return created;
}

const write = (name: string, data: Record<string, string> = {}, labels?: Record<string, string>): Promise<KubeObject> =>
  client.create(configMaps, configMap(name, data, labels));

/** The message after the fixed words. */
const denied = (message: string, code = 422): ((error: unknown) => boolean) => {
  const prefix = "ValidatingAdmissionPolicy 'p.example.com' with binding 'b' denied request: ";
  return (error) => {
    assert.ok(error instanceof StatusError, String(error));
    assert.equal(error.code, code);
    assert.equal(error.status.details?.causes?.[0]?.message, prefix + message);
    return true;
  };
};

describe("a policy with a binding", () => {
  test("refuses what its expression finds false, in Kubernetes' words, and lets the rest pass", async () => {
    await enforce({ validations: [{ expression: "has(object.data.owner)" }] });
    await assert.rejects(write("a", { other: "1" }), (error) => {
      assert.ok(error instanceof StatusError);
      const words =
        "ValidatingAdmissionPolicy 'p.example.com' with binding 'b' denied request: failed expression: has(object.data.owner)";
      assert.equal(error.message, `configmaps "a" is forbidden: ${words}`);
      assert.equal(error.reason, "Invalid");
      assert.equal(error.code, 422);
      assert.deepEqual(error.status.details, {
        name: "a",
        kind: "configmaps",
        causes: [{ reason: "", message: words }],
      });
      return true;
    });
    await write("b", { owner: "me" });
  });

  test("message, messageExpression and reason shape the refusal", async () => {
    await enforce({
      validations: [
        { expression: "size(object.data) < 3", message: "too much" },
        {
          expression: "!has(object.data.x)",
          messageExpression: "'no x in ' + object.metadata.name",
          reason: "Forbidden",
        },
        {
          expression: "!has(object.data.y)",
          messageExpression: "string(object.none)",
          message: "fallback",
          reason: "Unauthorized",
        },
        { expression: "!has(object.data.z)", messageExpression: "'a\\nb'", reason: "RequestEntityTooLarge" },
      ],
    });
    await assert.rejects(write("a", { a: "", b: "", c: "" }), denied("too much"));
    await assert.rejects(write("a", { x: "" }), denied("no x in a", 403));
    await assert.rejects(write("a", { y: "" }), denied("fallback", 401));
    await assert.rejects(write("a", { z: "" }), denied("failed expression: !has(object.data.z)", 413));
  });

  test("without a binding nothing is enforced; without the policy a binding is nothing", async () => {
    await client.create(bindings, binding("none"));
    await client.create(policies, policy("alone", { validations: [{ expression: "false" }] }));
    await write("a");
  });

  test("stops when it is deleted", async () => {
    await enforce({ validations: [{ expression: "false" }] });
    await assert.rejects(write("a"), refusedWith(422));
    await client.delete(bindings, "b");
    await write("a");
  });

  test("never judges policies themselves: a wrong one can be taken away", async () => {
    await enforce({
      matchConstraints: { resourceRules: [rule(["*"], { apiGroups: ["*"], apiVersions: ["*"], operations: ["*"] })] },
      validations: [{ expression: "false" }],
    });
    await assert.rejects(write("a"), refusedWith(422));
    await client.delete(policies, "p.example.com");
    await write("a");
  });

  test("survives a restart", async () => {
    const directory = mkdtempSync(join(tmpdir(), "gatehouse-policies-"));
    const statePath = join(directory, "state.db");
    for (const isFirst of [true, false]) {
      const server = await startTestServer({ statePath });
      const own = await server.client();
      if (isFirst) {
        await own.create(policies, policy("p", { validations: [{ expression: "false" }] }));
        await own.create(bindings, binding("p"));
      }
      await assert.rejects(own.create(configMaps, configMap("a", {})), refusedWith(422, /denied request/));
      await server.close();
    }
    rmSync(directory, { recursive: true });
  });
});

describe("operations", () => {
  test("UPDATE sees both objects, DELETE only the old one", async () => {
    await enforce({
      matchConstraints: { resourceRules: [rule(["configmaps"], { operations: ["UPDATE", "DELETE"] })] },
      validations: [
        { expression: "request.operation != 'UPDATE' || object.data.a == oldObject.data.a", message: "a stays" },
        {
          expression: "request.operation != 'DELETE' || (object == null && !has(oldObject.data.keep))",
          message: "kept",
        },
      ],
    });
    const first = await write("a", { a: "1", keep: "" });
    await assert.rejects(client.update(configMaps, { ...first, data: { a: "2" } }), denied("a stays"));
    const patch = client.patch(configMaps, { name: "a", namespace: "default" }, "merge", { data: { a: "3" } });
    await assert.rejects(patch, denied("a stays"));
    await client.patch(configMaps, { name: "a", namespace: "default" }, "merge", { data: { b: "3" } });
    await assert.rejects(client.delete(configMaps, "a", "default"), denied("kept"));
    await write("b", { a: "1" });
    await client.delete(configMaps, "b", "default");
  });

  test("a rehearsal is judged too, and says so", async () => {
    await enforce({ validations: [{ expression: "!request.dryRun", message: "rehearsed" }] });
    await assert.rejects(client.create(configMaps, configMap("a", {}), { dryRun: true }), denied("rehearsed"));
  });

  test("who writes is known, and the namespace", async () => {
    await enforce({
      validations: [
        { expression: "request.userInfo.username != 'eve'", messageExpression: "'not ' + request.userInfo.username" },
        { expression: "namespaceObject.metadata.name == request.namespace && request.name == object.metadata.name" },
        { expression: "request.kind.kind == 'ConfigMap' && request.resource.resource == 'configmaps'" },
      ],
    });
    await write("a");
    const eve = await cluster.client({ user: "eve", groups: ["system:masters"] });
    await assert.rejects(eve.create(configMaps, configMap("b", {})), denied("not eve"));
  });
});

describe("what a policy matches", () => {
  const never = [{ expression: "false", message: "never" }];
  const constraints = (more: object, ruleMore: object = {}): object => ({
    matchConstraints: { resourceRules: [rule(["configmaps"], ruleMore)], ...more },
    validations: never,
  });

  test("labels of objects, names, and rules that exclude", async () => {
    await enforce(constraints({ objectSelector: { matchLabels: { strict: "yes" } } }));
    await write("a");
    await assert.rejects(write("b", {}, { strict: "yes" }), denied("never"));
    // The old labels count as well.
    await client.delete(bindings, "b");
    await write("c", {}, { strict: "yes" });
    await client.create(bindings, binding("p.example.com", {}, "b"));
    const unlabelled = { metadata: { labels: { strict: null } } };
    await assert.rejects(
      client.patch(configMaps, { name: "c", namespace: "default" }, "merge", unlabelled),
      denied("never"),
    );
  });

  test("names, and rules that exclude", async () => {
    await enforce(constraints({ excludeResourceRules: [rule(["configmaps"], { resourceNames: ["free"] })] }));
    await write("free");
    await assert.rejects(write("bound"), denied("never"));
  });

  test("labels of namespaces; the binding narrows further", async () => {
    const namespaces = { group: "", version: "v1", plural: "namespaces", kind: "Namespace", namespaced: false };
    const namespace = (name: string, labels: Record<string, string>): Promise<KubeObject> =>
      client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    await namespace("strict", { level: "strict" });
    await namespace("other", { level: "strict", team: "other" });
    await enforce(constraints({ namespaceSelector: { matchLabels: { level: "strict" } } }), {
      matchResources: {
        namespaceSelector: { matchExpressions: [{ key: "team", operator: "DoesNotExist" }] },
      },
    });
    await write("a");
    const inside = (name: string): KubeObject => {
      const object = configMap("a", {});
      return { ...object, metadata: { ...object.metadata, namespace: name } };
    };
    await client.create(configMaps, inside("other"));
    await assert.rejects(client.create(configMaps, inside("strict")), denied("never"));
  });

  test("scope, other groups and versions", async () => {
    await enforce(constraints({}, { scope: "Cluster" }));
    await write("a");
    await client.patch(policies, { name: "p.example.com" }, "merge", constraintsSpec({ apiGroups: ["apps"] }));
    await write("b");
    await client.patch(policies, { name: "p.example.com" }, "merge", constraintsSpec({ scope: "Namespaced" }));
    await assert.rejects(write("c"), denied("never"));
  });

  function constraintsSpec(more: object): object {
    return { spec: { matchConstraints: { resourceRules: [rule(["configmaps"], more)] } } };
  }

  test("match conditions: one that is false is enough, one that fails counts as a failure", async () => {
    await enforce({
      matchConditions: [
        { name: "not-mine", expression: "object.metadata.name != 'mine'" },
        { name: "fails", expression: "object.data.x == '1'" },
      ],
      validations: never,
    });
    await write("mine");
    await write("other", { x: "2" });
    await assert.rejects(write("other2", { x: "1" }), denied("never"));
    await assert.rejects(
      write("other3", { y: "" }),
      denied("expression 'object.data.x == '1'' resulted in error: no such key: x"),
    );
  });

  test("subresources are matched by name alone", async () => {
    const deployments = { group: "apps", version: "v1", plural: "deployments", kind: "Deployment", namespaced: true };
    const apps = { apiGroups: ["apps"], operations: ["UPDATE"] };
    await enforce({
      matchConstraints: { resourceRules: [rule(["deployments/scale"], apps)] },
      validations: [{ expression: "object.spec.replicas <= 5 && object.kind == 'Scale'", message: "at most 5" }],
    });
    const spec = {
      replicas: 1,
      selector: { matchLabels: { a: "b" } },
      template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "a", image: "a" }] } },
    };
    const metadata = { name: "web", namespace: "default" };
    const web = await client.create(deployments, { apiVersion: "apps/v1", kind: "Deployment", metadata, spec });
    await client.update(deployments, { ...web, spec: { ...spec, replicas: 9 } });
    const scale = (replicas: number): Promise<unknown> =>
      client.patch(deployments, { ...metadata, subresource: "scale" }, "merge", { spec: { replicas } });
    await assert.rejects(scale(6), denied("at most 5"));
    await scale(5);
  });
});

describe("expressions", () => {
  test("variables see those above them, and are worked out once, when asked for", async () => {
    await enforce({
      variables: [
        { name: "keys", expression: "object.data.map(k, k)" },
        { name: "count", expression: "size(variables.keys)" },
        { name: "broken", expression: "object.data.none.size()" },
      ],
      validations: [
        { expression: "variables.count < 2", messageExpression: "'has ' + string(variables.count)" },
        { expression: "!has(object.data.x) || variables.broken > 1" },
      ],
    });
    await write("a", { a: "" });
    await assert.rejects(write("b", { a: "", b: "" }), denied("has 2"));
    const why = `composited variable "broken" fails to evaluate: no such key: none`;
    await assert.rejects(
      write("b", { x: "" }),
      denied(`expression '!has(object.data.x) || variables.broken > 1' resulted in error: ${why}`),
    );
  });

  test("that fail deny with Fail, and pass with Ignore", async () => {
    await enforce({ failurePolicy: "Ignore", validations: [{ expression: "object.none.x == 1" }] });
    await write("a");
    await client.patch(policies, { name: "p.example.com" }, "merge", { spec: { failurePolicy: "Fail" } });
    await assert.rejects(write("b"), denied("expression 'object.none.x == 1' resulted in error: no such key: none"));
  });

  test("have a budget, and cannot hold the server up", async () => {
    const loop = "[1,2,3,4,5,6,7,8,9,10]";
    const nested = `${loop}.all(a, ${loop}.all(b, ${loop}.all(c, ${loop}.all(d, ${loop}.all(e, ${loop}.all(f, a + b + c + d + e + f > 0))))))`;
    await enforce({ validations: [{ expression: nested }] });
    await assert.rejects(
      write("a"),
      refusedWith(422, /resulted in error: operation cancelled: actual cost limit exceeded/),
    );
  });
});

describe("validationActions", () => {
  test("Warn warns and lets pass", async () => {
    await enforce(
      { validations: [{ expression: "false", message: "careful" }] },
      { validationActions: ["Warn", "Audit"] },
    );
    const warnings: string[] = [];
    await client.create(configMaps, configMap("a", {}), { onWarning: (text) => warnings.push(text) });
    assert.deepEqual(warnings, [
      "Validation failed for ValidatingAdmissionPolicy 'p.example.com' with binding 'b': careful",
    ]);
    await client.get(configMaps, "a", "default");
  });

  test("Audit alone lets pass", async () => {
    await enforce({ validations: [{ expression: "false" }] }, { validationActions: ["Audit"] });
    await write("a");
  });
});

describe("parameters", () => {
  const spec = {
    paramKind: { apiVersion: "v1", kind: "ConfigMap" },
    matchConstraints: { resourceRules: [rule(["configmaps"], { operations: ["CREATE"] })] },
    matchConditions: [{ name: "not-params", expression: "!object.metadata.name.startsWith('limits')" }],
    validations: [
      {
        expression: "params == null || size(object.data) <= int(params.data.max)",
        messageExpression: "'at most ' + params.data.max",
      },
    ],
  };

  test("by name, in the request's namespace; absent ones by parameterNotFoundAction", async () => {
    await enforce(spec, { paramRef: { name: "limits", parameterNotFoundAction: "Deny" } });
    await assert.rejects(
      write("a"),
      denied("failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"),
    );
    await client.patch(bindings, { name: "b" }, "merge", { spec: { paramRef: { parameterNotFoundAction: "Allow" } } });
    await write("a", { a: "", b: "" });
    await write("limits", { max: "1" });
    await assert.rejects(write("b", { a: "", b: "" }), denied("at most 1"));
    await write("b", { a: "" });
  });

  test("by labels: each is judged with", async () => {
    const selector = { matchLabels: { limits: "yes" } };
    await enforce(spec, { paramRef: { selector, parameterNotFoundAction: "Allow" } });
    await write("limits-1", { max: "3" }, { limits: "yes" });
    await write("limits-2", { max: "1" }, { limits: "yes" });
    await assert.rejects(write("a", { a: "", b: "" }), denied("at most 1"));
  });

  test("of a kind that is not served are a fault of the policy", async () => {
    const paramKind = { apiVersion: "rules.example.com/v1", kind: "Limit" };
    await enforce({ ...spec, paramKind }, { paramRef: { name: "x", parameterNotFoundAction: "Allow" } });
    await assert.rejects(
      write("a"),
      refusedWith(
        422,
        /ValidatingAdmissionPolicy 'p.example.com' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'rules.example.com\/v1, Kind=Limit'/,
      ),
    );
  });
});
