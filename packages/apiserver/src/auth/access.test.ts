// Roles, bindings, reviews and ServiceAccount tokens, as a client meets them.

import assert from "node:assert/strict";
import { request } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { type ApiClient, createApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { configMaps, namespaces, pods, secrets, serviceAccounts } from "@gatehouse/apimachinery/types/core-v1";
import { refusedWith, startTestServer, type TestServer } from "../testing.ts";

const rbac = (plural: string, kind: string, namespaced: boolean): ResourceType => ({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  plural,
  kind,
  namespaced,
});
const roles = rbac("roles", "Role", true);
const roleBindings = rbac("rolebindings", "RoleBinding", true);
const clusterRoles = rbac("clusterroles", "ClusterRole", false);
const clusterRoleBindings = rbac("clusterrolebindings", "ClusterRoleBinding", false);
const apiVersion = "rbac.authorization.k8s.io/v1";

let cluster: TestServer;
let admin: ApiClient;
before(async () => {
  cluster = await startTestServer();
  admin = await cluster.client();
});
after(() => cluster.close());

const asUser = (user: string, ...groups: string[]): Promise<ApiClient> => cluster.client({ user, groups });
const post = <T = KubeObject>(client: ApiClient, path: string, body: object): Promise<T> =>
  client.json<T>({ method: "POST", path, body: JSON.stringify(body), headers: { "content-type": "application/json" } });

describe("without a binding", () => {
  it("everything is refused in Kubernetes' words", async () => {
    const jane = await asUser("jane");
    const cases: [Promise<unknown>, RegExp][] = [
      [
        jane.list(pods, { namespace: "default" }),
        /^pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"$/,
      ],
      [
        jane.list(namespaces),
        /^namespaces is forbidden: User "jane" cannot list resource "namespaces" in API group "" at the cluster scope$/,
      ],
      [
        jane.get(configMaps, "x", "default"),
        /^configmaps "x" is forbidden: User "jane" cannot get resource "configmaps" in API group "" in the namespace "default"$/,
      ],
      [
        jane.json({ method: "GET", path: "/apis/apps/v1/namespaces/default/deployments/x/scale" }),
        /^deployments.apps "x" is forbidden: User "jane" cannot get resource "deployments\/scale" in API group "apps"/,
      ],
      [jane.json({ method: "GET", path: "/api/v1/gadgets" }), /^gadgets is forbidden/],
      [jane.json({ method: "GET", path: "/metrics" }), /^forbidden: User "jane" cannot get path "\/metrics"$/],
    ];
    for (const [attempt, message] of cases) await assert.rejects(attempt, refusedWith(403, message));
  });

  it("discovery and questions about oneself are open", async () => {
    const jane = await asUser("jane");
    await jane.json({ method: "GET", path: "/apis" });
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { verb: "get", resource: "pods" } },
    };
    const { status } = await post(jane, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review);
    assert.deepEqual(status, { allowed: false });
    await assert.rejects(
      post(jane, "/apis/authorization.k8s.io/v1/subjectaccessreviews", { ...review, kind: "SubjectAccessReview" }),
      refusedWith(403),
    );
  });
});

describe("a RoleBinding", () => {
  before(async () => {
    const metadata = { name: "reader", namespace: "default" };
    const rules = [
      { apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list"], resourceNames: ["allowed"] },
      { apiGroups: [""], resources: ["pods", "*/log"], verbs: ["get", "list", "watch"] },
    ];
    await admin.create(roles, { apiVersion, kind: "Role", metadata, rules });
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" };
    const subjects = [
      { kind: "User", name: "rita" },
      { kind: "Group", name: "readers" },
    ];
    await admin.create(roleBindings, { apiVersion, kind: "RoleBinding", metadata, roleRef, subjects });
  });

  it("grants its role's verbs, in its namespace, to its users and groups, and nothing else", async () => {
    for (const client of [await asUser("rita"), await asUser("anybody", "readers")]) {
      await client.list(pods, { namespace: "default" });
      await assert.rejects(client.list(pods, { namespace: "kube-system" }), refusedWith(403));
      await assert.rejects(client.list(pods), refusedWith(403));
      await assert.rejects(client.delete(pods, "x", "default"), refusedWith(403));
    }
    await assert.rejects((await asUser("readers")).list(pods, { namespace: "default" }), refusedWith(403));
  });

  it("with resourceNames grants those names only, in lists by their name too", async () => {
    const rita = await asUser("rita");
    await assert.rejects(rita.get(configMaps, "allowed", "default"), refusedWith(404));
    await assert.rejects(rita.get(configMaps, "other", "default"), refusedWith(403));
    await assert.rejects(rita.list(configMaps, { namespace: "default" }), refusedWith(403));
    await rita.list(configMaps, { namespace: "default", fieldSelector: "metadata.name=allowed" });
    await assert.rejects(
      rita.list(configMaps, { namespace: "default", fieldSelector: "metadata.name!=allowed" }),
      refusedWith(403),
    );
  });

  it("with resourceNames is not widened by a name that stands in another field's value, nor by selectors of other verbs", async () => {
    const rita = await asUser("rita");
    const fieldSelector = "metadata.namespace!=\\,metadata.name=allowed";
    await assert.rejects(rita.list(configMaps, { namespace: "default", fieldSelector }), refusedWith(403));
    const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["create"], resourceNames: ["allowed"] }];
    const metadata = { name: "maker", namespace: "default" };
    await admin.create(roles, { apiVersion, kind: "Role", metadata, rules });
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "maker" };
    const subjects = [{ kind: "User", name: "mike" }];
    await admin.create(roleBindings, { apiVersion, kind: "RoleBinding", metadata, roleRef, subjects });
    const path = "/api/v1/namespaces/default/configmaps?fieldSelector=metadata.name%3Dallowed";
    await assert.rejects(post(await asUser("mike"), path, { metadata: { name: "other" } }), refusedWith(403));
  });

  it("keeps its role for good, and names one that can be", async () => {
    const binding = await admin.get<KubeObject>(roleBindings, "reader", "default");
    const roleRef = { ...(binding.roleRef as object), name: "other" };
    await assert.rejects(
      admin.update(roleBindings, { ...binding, roleRef }),
      refusedWith(422, /roleRef: Invalid value: .*cannot change roleRef/),
    );
    const bad = {
      apiVersion,
      kind: "ClusterRoleBinding",
      metadata: { name: "bad" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
    };
    await assert.rejects(
      admin.create(clusterRoleBindings, bad),
      refusedWith(422, /roleRef.kind: Unsupported value: "Role"/),
    );
  });
});

describe("a ClusterRoleBinding", () => {
  it("grants everywhere, non-resource paths included, and ends with its deletion", async () => {
    const rules = [
      { apiGroups: ["*"], resources: ["*"], verbs: ["list"] },
      { nonResourceURLs: ["/metrics/*", "/debug/*"], verbs: ["get"] },
    ];
    await admin.create(clusterRoles, { apiVersion, kind: "ClusterRole", metadata: { name: "lister" }, rules });
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "lister" };
    const subjects = [{ kind: "User", name: "lisa" }];
    await admin.create(clusterRoleBindings, {
      apiVersion,
      kind: "ClusterRoleBinding",
      metadata: { name: "lister" },
      roleRef,
      subjects,
    });
    const lisa = await asUser("lisa");
    await lisa.list(namespaces);
    await assert.rejects(lisa.get(namespaces, "default"), refusedWith(403));
    for (const path of ["/metrics/none", "/debug/x"])
      await assert.rejects(lisa.json({ method: "GET", path }), refusedWith(404));
    await assert.rejects(lisa.json({ method: "GET", path: "/metricsx" }), refusedWith(403));
    await admin.delete(clusterRoleBindings, "lister");
    await assert.rejects(lisa.list(namespaces), refusedWith(403));
  });
});

describe("someone who may write roles", () => {
  it("grants only what they have, unless they may bind or escalate", async () => {
    const rule = (resources: string[], verbs: string[], apiGroup = "rbac.authorization.k8s.io") => ({
      apiGroups: [apiGroup],
      resources,
      verbs,
    });
    const rules = [
      rule(["roles", "rolebindings"], ["create", "update", "patch", "get"]),
      rule(["configmaps"], ["get"], ""),
    ];
    await admin.create(roles, { apiVersion, kind: "Role", metadata: { name: "granter", namespace: "default" }, rules });
    const refer = (kind: string, name: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind, name });
    const binding = (name: string, roleRef: object, user: string) => ({
      apiVersion,
      kind: "RoleBinding",
      metadata: { name, namespace: "default" },
      roleRef,
      subjects: [{ kind: "User", name: user }],
    });
    await admin.create(roleBindings, binding("granter", refer("Role", "granter"), "greta"));
    const greta = await asUser("greta");
    const role = (name: string, granted: object[]) => ({
      apiVersion,
      kind: "Role",
      metadata: { name, namespace: "default" },
      rules: granted,
    });
    await greta.create(roles, role("less", [{ ...rule(["configmaps"], ["get"], ""), resourceNames: ["x"] }]));
    await greta.create(roleBindings, binding("less", refer("Role", "less"), "other"));
    const excess = refusedWith(403, /user "greta" is attempting to grant RBAC permissions not currently held/);
    await assert.rejects(greta.create(roles, role("more", [rule(["secrets"], ["get"], "")])), excess);
    await assert.rejects(
      greta.patch(roles, { name: "less", namespace: "default" }, "merge", { rules: [rule(["*"], ["*"], "*")] }),
      excess,
    );
    await assert.rejects(
      greta.create(roleBindings, binding("root", refer("ClusterRole", "cluster-admin"), "greta")),
      excess,
    );
    await admin.patch(roles, { name: "granter", namespace: "default" }, "merge", {
      rules: [...rules, rule(["clusterroles"], ["bind"])],
    });
    await greta.create(roleBindings, binding("root", refer("ClusterRole", "cluster-admin"), "greta"));
  });

  it("binds to no role that does not exist yet, unless they may bind", async () => {
    const metadata = { name: "binder" };
    const rules = [{ apiGroups: ["rbac.authorization.k8s.io"], resources: ["rolebindings"], verbs: ["create"] }];
    await admin.create(clusterRoles, { apiVersion, kind: "ClusterRole", metadata, rules });
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "binder" };
    const subjects = [{ kind: "User", name: "bea" }];
    await admin.create(clusterRoleBindings, { apiVersion, kind: "ClusterRoleBinding", metadata, roleRef, subjects });
    const early = {
      apiVersion,
      kind: "RoleBinding",
      metadata: { name: "early", namespace: "default" },
      roleRef: { ...roleRef, name: "of-tomorrow" },
      subjects,
    };
    await assert.rejects(
      (await asUser("bea")).create(roleBindings, early),
      refusedWith(404, /"of-tomorrow" not found/),
    );
    await admin.create(roleBindings, early);
  });
});

describe("reviews", () => {
  const spec = { user: "rita", resourceAttributes: { verb: "list", resource: "pods", namespace: "default" } };
  const review = (kind: string, body: object) =>
    post(admin, `/apis/authorization.k8s.io/v1/${kind.toLowerCase()}s`, {
      apiVersion: "authorization.k8s.io/v1",
      kind,
      spec: body,
    });

  it("answer what a user may do", async () => {
    assert.deepEqual((await review("SubjectAccessReview", spec)).status, { allowed: true });
    const elsewhere = { ...spec, resourceAttributes: { ...spec.resourceAttributes, namespace: "kube-system" } };
    assert.deepEqual((await review("SubjectAccessReview", elsewhere)).status, { allowed: false });
    const path = { user: "rita", nonResourceAttributes: { path: "/apis", verb: "get" } };
    assert.deepEqual((await review("SubjectAccessReview", { ...path, groups: ["system:authenticated"] })).status, {
      allowed: true,
    });
    const rules = await review("SelfSubjectRulesReview", { namespace: "default" });
    assert.deepEqual((rules.status as { resourceRules: object[] }).resourceRules[0], {
      verbs: ["*"],
      apiGroups: ["*"],
      resources: ["*"],
    });
  });

  it("refuse questions that are none, and store nothing", async () => {
    await assert.rejects(review("SubjectAccessReview", { user: "rita" }), refusedWith(422, /exactly one of/));
    await assert.rejects(review("SubjectAccessReview", { resourceAttributes: {} }), refusedWith(422, /user or group/));
    await assert.rejects(review("SelfSubjectRulesReview", {}), refusedWith(400, /no namespace on request/));
    await assert.rejects(
      admin.json({ method: "GET", path: "/apis/authorization.k8s.io/v1/subjectaccessreviews" }),
      refusedWith(405),
    );
  });
});

describe("a ServiceAccount's token", () => {
  let tcp: ReturnType<typeof createServer>;
  before(async () => {
    tcp = createServer(cluster.server.handler).listen(0, "127.0.0.1");
    await new Promise((resolve) => tcp.once("listening", resolve));
    await admin.create(serviceAccounts, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "robot", namespace: "default" },
    });
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" };
    const subjects = [{ kind: "ServiceAccount", name: "robot", namespace: "default" }];
    await admin.create(roleBindings, {
      apiVersion,
      kind: "RoleBinding",
      metadata: { name: "robot", namespace: "default" },
      roleRef,
      subjects,
    });
  });
  after(() => tcp.close());

  interface TokenAnswer {
    status: { token: string; expirationTimestamp: string };
  }
  const newToken = async (spec: object = {}, account = "robot"): Promise<string> => {
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
    return (await post<TokenAnswer>(admin, `/api/v1/namespaces/default/serviceaccounts/${account}/token`, body)).status
      .token;
  };
  const withToken = (token: string): Promise<ApiClient> =>
    createApiClient({ server: `http://127.0.0.1:${(tcp.address() as AddressInfo).port}`, token });

  it("is its identity, with its account's rights", async () => {
    const robot = await withToken(await newToken());
    await robot.list(configMaps, { namespace: "default" });
    await assert.rejects(
      robot.list(secrets, { namespace: "default" }),
      refusedWith(403, /User "system:serviceaccount:default:robot"/),
    );
    const { status } = await post(robot, "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "SelfSubjectReview",
    });
    const { userInfo } = status as { userInfo: { groups: string[] } };
    assert.deepEqual(userInfo.groups, [
      "system:serviceaccounts",
      "system:serviceaccounts:default",
      "system:authenticated",
    ]);
    robot.close();
  });

  it("is worth nothing when it is altered, for another audience, bound to what is gone, or its account is gone", async () => {
    const token = await newToken();
    const refused = async (bad: string): Promise<void> => {
      const client = await withToken(bad);
      await assert.rejects(client.list(configMaps, { namespace: "default" }), refusedWith(401));
      client.close();
    };
    const [header = "", payload = "", signature = ""] = token.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: "system:serviceaccount:kube-system:root" })).toString(
      "base64url",
    );
    await refused(`${header}.${forged}.${signature}`);
    const none = Buffer.from(JSON.stringify({ alg: "none", typ: "JWT" })).toString("base64url");
    await refused(`${none}.${payload}.`);
    await refused(`${header}.${payload}`);
    await refused(await newToken({ audiences: ["vault"] }));

    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "bound", namespace: "default" },
      spec: { serviceAccountName: "robot", containers: [{ name: "a", image: "b" }] },
    };
    await admin.create(pods, pod);
    await admin.create(pods, {
      ...pod,
      metadata: { ...pod.metadata, name: "other" },
      spec: { ...pod.spec, serviceAccountName: "default" },
    });
    const ofOther = { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "other" } };
    await assert.rejects(newToken(ofOther), refusedWith(400, /different serviceaccount/));
    const bound = await newToken({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "bound" } });
    const client = await withToken(bound);
    await client.list(configMaps, { namespace: "default" });
    client.close();
    await admin.delete(pods, "bound", "default");
    await refused(bound);

    await admin.create(serviceAccounts, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "short", namespace: "default" },
    });
    const orphan = await newToken({}, "short");
    await admin.delete(serviceAccounts, "short", "default");
    await refused(orphan);
  });

  it("is reviewed for its audience", async () => {
    const review = async (token: string, audiences?: string[]): Promise<unknown> =>
      (
        await post(admin, "/apis/authentication.k8s.io/v1/tokenreviews", {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenReview",
          spec: { token, ...(audiences ? { audiences } : {}) },
        })
      ).status;
    const vault = await newToken({ audiences: ["vault"] });
    assert.equal(((await review(vault, ["vault"])) as { authenticated: boolean }).authenticated, true);
    assert.equal(((await review(vault)) as { authenticated: boolean }).authenticated, false);
    assert.equal(((await review("nonsense")) as { authenticated: boolean }).authenticated, false);
  });

  it("is refused for absent accounts and lifetimes out of range", async () => {
    await assert.rejects(newToken({}, "absent"), refusedWith(404, /serviceaccounts "absent" not found/));
    await assert.rejects(newToken({ expirationSeconds: 1 }), refusedWith(422, /10 minutes/));
    await assert.rejects(
      newToken({ boundObjectRef: { kind: "Pod", name: "absent" } }),
      refusedWith(404, /pods "absent" not found/),
    );
  });

  it("does not travel over a further listener without one", async () => {
    const { port } = tcp.address() as AddressInfo;
    const code = await new Promise((resolve) =>
      request({ port, path: "/api" }, (response) => resolve(response.resume().statusCode)).end(),
    );
    assert.equal(code, 401);
  });
});
