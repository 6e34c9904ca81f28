import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { describeObject } from "./describe-object.ts";
import type { Surroundings } from "./describe-parts.ts";
import { titleOf } from "./generic.ts";

const group = "gateway.networking.k8s.io";
const type = (kind: string, plural: string, namespaced = true): ResourceType => ({
  group,
  version: "v1",
  plural,
  kind,
  namespaced,
});

/** A cluster that holds these objects, by plural; a missing plural is one that the server refuses to list. */
function around(objects: Record<string, unknown[]>): Surroundings {
  return {
    list: async ({ plural }) => objects[plural] as never,
    typesOf: async () => [
      type("GatewayClass", "gatewayclasses", false),
      type("Gateway", "gateways"),
      type("HTTPRoute", "httproutes"),
    ],
  };
}

const describe = async (object: unknown, objects: Record<string, unknown[]> = { events: [] }): Promise<string> =>
  describeObject(object as KubeObject, around(objects));

function assertLines(text: string, expected: string): void {
  const lines = expected
    .split("\n")
    .slice(1, -1)
    .map((line) => line.slice(4));
  assert.equal(text, `${lines.join("\n")}\n`);
}

const condition = (name: string, status: string, reason: string, message = "", observedGeneration = 2) => ({
  type: name,
  status,
  reason,
  message,
  observedGeneration,
  // The default that the Gateway API's CRDs fill in: no real time.
  lastTransitionTime: "1970-01-01T00:00:00Z",
});

const parentRef = { name: "traefik-gateway", namespace: "traefik", sectionName: "web" };
const full = { group, kind: "Gateway", ...parentRef };

const route = {
  apiVersion: `${group}/v1`,
  kind: "HTTPRoute",
  metadata: { name: "whoami-path", namespace: "demo", generation: 2, labels: { b: "2", a: "1" } },
  spec: {
    hostnames: ["demo.localhost"],
    parentRefs: [parentRef, { name: "other" }],
    rules: [
      {
        matches: [
          { path: { type: "PathPrefix", value: "/v1" }, method: "GET", headers: [{ name: "x", value: "1" }] },
          {
            path: { type: "Exact", value: "/one" },
            queryParams: [{ type: "RegularExpression", name: "q", value: "a+" }],
          },
        ],
        filters: [{ type: "URLRewrite", urlRewrite: { hostname: "x" } }],
        backendRefs: [
          { name: "whoami-v1", port: 80 },
          { name: "whoami-v2", namespace: "n", port: 81, weight: 0 },
        ],
      },
    ],
  },
  status: {
    parents: [
      {
        parentRef: full,
        controllerName: "traefik.io/gateway-controller",
        conditions: [
          condition("Accepted", "True", "Accepted"),
          condition("ResolvedRefs", "False", "BackendNotFound", "no Service\nx", 1),
        ],
      },
    ],
  },
};

test("HTTPRoute: matches, backends, what each parent says and that one says nothing", async () => {
  assertLines(
    await describe(route),
    `
    Name:         whoami-path
    Namespace:    demo
    Labels:       a=1
                  b=2
    Annotations:  <none>
    API Version:  gateway.networking.k8s.io/v1
    Kind:         HTTPRoute
    Created:      <unknown>
    Generation:   2
    Hostnames:    demo.localhost
    Rules:
      Rule 0:
        Matches:   GET PathPrefix /v1 and header x: 1
                   Exact /one and query q =~ a+
        Filters:   URLRewrite {"hostname":"x"}
        Backends:  Service whoami-v1:80 (weight 1)
                   Service n/whoami-v2:81 (weight 0)
    Parents:
      Gateway traefik/traefik-gateway, listener web:
        Controller:  traefik.io/gateway-controller
        Conditions:
          Type          Status  Reason           Age        Message
          ----          ------  ------           ---        -------
          Accepted      True    Accepted         <unknown>
          ResolvedRefs  False   BackendNotFound  <unknown>  (for generation 1) no Service x
      Gateway demo/other:
        Status:  no controller has answered: see whether the parent exists and its GatewayClass is accepted
    Events:      <none>
    `,
  );
});

const gateway = {
  apiVersion: `${group}/v1`,
  kind: "Gateway",
  metadata: { name: "traefik-gateway", namespace: "traefik", generation: 2 },
  spec: {
    gatewayClassName: "traefik",
    listeners: [
      { name: "web", port: 8000, protocol: "HTTP", allowedRoutes: { namespaces: { from: "All" } } },
      { name: "tls", port: 8443, protocol: "HTTPS", hostname: "*.x", tls: { certificateRefs: [{ name: "cert" }] } },
    ],
  },
  status: {
    addresses: [{ type: "IPAddress", value: "127.16.224.1" }],
    conditions: [condition("Accepted", "True", "Accepted")],
    listeners: [{ name: "web", attachedRoutes: 1, conditions: [condition("Programmed", "True", "Programmed")] }],
  },
};

test("Gateway: listeners, and every route that asks for it, attached or not", async () => {
  const stray = {
    ...route,
    metadata: { name: "stray", namespace: "demo" },
    spec: { parentRefs: [{ ...parentRef, sectionName: "no" }] },
    status: {},
  };
  const foreign = {
    ...route,
    metadata: { name: "foreign", namespace: "demo" },
    spec: { parentRefs: [{ name: "traefik-gateway" }] },
  };
  assertLines(
    await describe(gateway, { events: [], httproutes: [route, stray, foreign] }),
    `
    Name:           traefik-gateway
    Namespace:      traefik
    Labels:         <none>
    Annotations:    <none>
    API Version:    gateway.networking.k8s.io/v1
    Kind:           Gateway
    Created:        <unknown>
    Generation:     2
    Gateway Class:  traefik
    Addresses:      127.16.224.1 (IPAddress)
    Conditions:
      Type      Status  Reason    Age        Message
      ----      ------  ------    ---        -------
      Accepted  True    Accepted  <unknown>
    Listeners:
      web:
        Port:             8000/HTTP
        Hostname:         * (every host)
        Routes from:      All namespaces
        Attached routes:  1
        Conditions:
          Type        Status  Reason      Age        Message
          ----        ------  ------      ---        -------
          Programmed  True    Programmed  <unknown>
      tls:
        Port:             8443/HTTPS
        Hostname:         *.x
        TLS:              Terminate with cert
        Routes from:      Same namespaces
        Attached routes:  <unknown>
        Conditions:       <none>
    Routes:
      Kind       Name              Listener  Hostnames       Accepted  Reason
      ----       ----              --------  ---------       --------  ------
      HTTPRoute  demo/whoami-path  web       demo.localhost  True      Accepted
      HTTPRoute  demo/stray        no        *               Unknown
    Events:      <none>
    `,
  );
});

test("GatewayClass: its controller, its Gateways and no others", async () => {
  const gatewayClass = {
    apiVersion: `${group}/v1`,
    kind: "GatewayClass",
    metadata: { name: "traefik", generation: 1 },
    spec: { controllerName: "traefik.io/gateway-controller" },
    status: { supportedFeatures: [{ name: "Gateway" }, { name: "HTTPRoute" }] },
  };
  const other = { ...gateway, metadata: { name: "other", namespace: "x" }, spec: { gatewayClassName: "other" } };
  const text = await describe(gatewayClass, { events: [], gateways: [gateway, other] });
  assert.match(text, /^Controller: +traefik\.io\/gateway-controller$/m);
  assert.match(text, /^Features: +Gateway\n +HTTPRoute$/m);
  assert.match(text, /^Gateways: +traefik\/traefik-gateway$/m);
  assert.doesNotMatch(text, /x\/other/);
});

test("Service: the ready endpoints of each port, and that they are unknown when they may not be seen", async () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "whoami", namespace: "demo" },
    spec: {
      clusterIP: "10.96.0.7",
      selector: { app: "w" },
      ports: [
        { name: "http", port: 80, targetPort: "web" },
        { name: "x", port: 81 },
      ],
    },
  };
  const slice = {
    ports: [{ name: "http", port: 8080 }],
    endpoints: [
      { addresses: ["127.16.1.1"], conditions: { ready: true } },
      { addresses: ["127.16.1.2"], conditions: { ready: false } },
      { addresses: ["127.16.1.3"] },
    ],
  };
  const text = await describe(service, { events: [], endpointslices: [slice] });
  assert.match(
    text,
    /^Port: +http {2}80\/TCP\nTargetPort: +web\/TCP\nEndpoints: +127\.16\.1\.1:8080,127\.16\.1\.3:8080$/m,
  );
  assert.match(text, /^Port: +x {2}81\/TCP\nTargetPort: +81\/TCP\nEndpoints: +<none>$/m);
  assert.match(await describe(service), /^Endpoints: +<unknown>$/m);
});

test("Pod: why a container waits, and how its last run ended", async () => {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "demo", ownerReferences: [{ kind: "ReplicaSet", name: "rs", controller: true }] },
    spec: {
      nodeName: "n",
      containers: [{ name: "c", image: "nginx", ports: [{ containerPort: 80, hostPort: 8080 }] }],
    },
    status: {
      phase: "Running",
      hostIP: "127.16.0.1",
      podIP: "127.16.1.9",
      containerStatuses: [
        {
          name: "c",
          ready: false,
          restartCount: 3,
          state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 40s" } },
          lastState: { terminated: { exitCode: 1, reason: "Error" } },
        },
      ],
    },
  };
  const text = await describe(pod);
  assert.match(text, /^Node: +n\/127\.16\.0\.1$/m);
  assert.match(text, /^Controlled By: +ReplicaSet\/rs$/m);
  assert.match(
    text,
    /State: +Waiting\n +Reason: +CrashLoopBackOff\n +Message: +back-off 40s\n +Last State: +Terminated\n +Reason: +Error\n +Exit Code: +1\n +Ready: +False\n +Restart Count: +3/,
  );
  assert.match(text, /Host Ports: +8080\/TCP/);
  const ending = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  assert.match(await describe(ending), /^Status: +Terminating \(since 2026-01-01T00:00:00Z\)$/m);
});

test("Deployment: counts, and only the ReplicaSets that are its own and in use", async () => {
  const set = (name: string, uid: string, replicas: number) => ({
    metadata: { name, ownerReferences: [{ kind: "Deployment", name: "d", uid, controller: true }] },
    spec: { replicas },
    status: { replicas },
  });
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d", namespace: "demo", uid: "u" },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: "d" } },
      template: { spec: { containers: [{ name: "c", image: "i" }] } },
    },
    status: { replicas: 2, updatedReplicas: 2, availableReplicas: 1, unavailableReplicas: 1 },
  };
  const text = await describe(deployment, {
    events: [],
    replicasets: [set("new", "u", 2), set("old", "u", 0), set("foreign", "v", 2)],
  });
  assert.match(text, /^Replicas: +2 desired \| 2 updated \| 2 total \| 1 available \| 1 unavailable$/m);
  assert.match(text, /^ReplicaSets: +new \(2\/2 replicas created\)$/m);
  assert.doesNotMatch(text, /old|foreign/);
});

test("any other kind is a tree in kubectl's words, without the bookkeeping", async () => {
  const event = {
    type: "Warning",
    reason: "Failed",
    count: 3,
    firstTimestamp: "1970-01-01T00:00:00Z",
    lastTimestamp: "1970-01-01T00:00:00Z",
    source: { component: "kubelet" },
    message: "it\nfailed ",
    metadata: { name: "e" },
  };
  const object = {
    apiVersion: "example.com/v1",
    kind: "Widget",
    metadata: {
      name: "w",
      uid: "u",
      resourceVersion: "7",
      managedFields: [{}],
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", note: "first\nsecond" },
    },
    spec: {
      parentRefs: [{ name: "a" }, { name: "b" }],
      tags: ["x", "y"],
      empty: null,
      on: true,
      matchLabels: { "a.b/c": "d" },
    },
  };
  assertLines(
    await describe(object, { events: [event] }),
    `
    Name:         w
    Labels:       <none>
    Annotations:  note: first
                  second
    API Version:  example.com/v1
    Kind:         Widget
    Metadata:
      Resource Version:  7
      UID:               u
    Spec:
      Empty:  <nil>
      Match Labels:
        a.b/c:  d
      On:       true
      Parent Refs:
        Name:  a
        Name:  b
      Tags:
        x
        y
    Events:
      Type     Reason  Age                            From     Message
      ----     ------  ---                            ----     -------
      Warning  Failed  <unknown> (x3 over <unknown>)  kubelet  it failed
    `,
  );
});

const titles: [field: string, title: string][] = [
  ["observedGeneration", "Observed Generation"],
  ["uid", "UID"],
  ["apiVersion", "API Version"],
  ["clusterIPs", "Cluster IPs"],
  ["podCIDR", "Pod CIDR"],
  ["spec", "Spec"],
  ["a.b/c", "a.b/c"],
  ["x-y", "x-y"],
];

for (const [field, title] of titles) test(`${field} is titled ${title}`, () => assert.equal(titleOf(field), title));
