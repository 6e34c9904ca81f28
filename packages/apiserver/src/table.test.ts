import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { builtInDefinitions } from "./kinds/built-in.ts";
import { renderTable } from "./table.ts";

const definitions = builtInDefinitions();

// Ages are told from a clock that stands still.
mock.timers.enable({ apis: ["Date"], now: Date.parse("2024-05-01T12:00:00Z") });

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

/** Column names and cells of one object, as `kubectl get -o wide` shows them. */
function row(plural: string, fields: Record<string, unknown>, group?: string): Record<string, unknown> {
  const definition = definitions.find(
    ({ type }) => type.plural === plural && (group === undefined || type.group === group),
  );
  assert.ok(definition);
  const { metadata, ...rest } = fields;
  const object = {
    apiVersion: "v1",
    kind: definition.type.kind,
    metadata: { name: "x", creationTimestamp: ago(90), ...(metadata as object) },
    ...rest,
  } as KubeObject;
  const table = renderTable(definition, [object], { resourceVersion: "7" }, "Metadata");
  return Object.fromEntries(table.columnDefinitions.map(({ name }, index) => [name, table.rows[0]?.cells[index]]));
}

test("the other kinds show what kubectl shows", () => {
  const template = {
    spec: {
      containers: [
        { name: "a", image: "i:1" },
        { name: "b", image: "j" },
      ],
      nodeSelector: { disk: "ssd" },
    },
  };
  const selector = {
    matchLabels: { app: "x" },
    matchExpressions: [{ key: "tier", operator: "In", values: ["b", "a"] }],
  };
  const workload = { Containers: "a,b", Images: "i:1,j", Selector: "app=x,tier in (a,b)" };
  const cases: [string, Record<string, unknown>, Record<string, unknown>, string?][] = [
    [
      "deployments",
      {
        spec: { replicas: 2, selector, template },
        status: { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 },
      },
      { Name: "x", Ready: "1/2", "Up-to-date": 2, Available: 1, Age: "90s", ...workload },
    ],
    [
      "replicasets",
      { spec: { replicas: 2, selector, template }, status: { replicas: 2 } },
      { Name: "x", Desired: 2, Current: 2, Ready: 0, Age: "90s", ...workload },
    ],
    [
      "daemonsets",
      {
        spec: { selector, template },
        status: { desiredNumberScheduled: 1, currentNumberScheduled: 1, numberReady: 1 },
      },
      {
        Name: "x",
        Desired: 1,
        Current: 1,
        Ready: 1,
        "Up-to-date": 0,
        Available: 0,
        "Node Selector": "disk=ssd",
        Age: "90s",
        ...workload,
      },
    ],
    [
      "services",
      {
        spec: {
          type: "NodePort",
          clusterIP: "10.96.0.1",
          clusterIPs: ["10.96.0.1"],
          selector: { app: "x" },
          ports: [
            { port: 80, nodePort: 30080, protocol: "TCP" },
            { port: 53, protocol: "UDP" },
          ],
        },
      },
      {
        Name: "x",
        Type: "NodePort",
        "Cluster-IP": "10.96.0.1",
        "External-IP": "<none>",
        "Port(s)": "80:30080/TCP,53/UDP",
        Age: "90s",
        Selector: "app=x",
      },
    ],
    [
      "services",
      { spec: { type: "LoadBalancer", ports: [] } },
      {
        Name: "x",
        Type: "LoadBalancer",
        "Cluster-IP": "<none>",
        "External-IP": "<pending>",
        "Port(s)": "<none>",
        Age: "90s",
        Selector: "<none>",
      },
    ],
    [
      "namespaces",
      { status: { phase: "Active" }, metadata: { creationTimestamp: undefined } },
      { Name: "x", Status: "Active", Age: "<unknown>" },
    ],
    ["configmaps", { data: { a: "1" }, binaryData: { b: "" } }, { Name: "x", Data: 2, Age: "90s" }],
    ["secrets", { type: "Opaque", data: { a: "" } }, { Name: "x", Type: "Opaque", Data: 1, Age: "90s" }],
    ["serviceaccounts", {}, { Name: "x", Secrets: 0, Age: "90s" }],
    [
      "nodes",
      {
        metadata: { labels: { "node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "worker" } },
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: "Ready", status: "False" }],
          addresses: [{ type: "InternalIP", address: "127.30.0.1" }],
          nodeInfo: { kubeletVersion: "v1.32.0" },
        },
      },
      {
        Name: "x",
        Status: "NotReady,SchedulingDisabled",
        Roles: "control-plane,worker",
        Age: "90s",
        Version: "v1.32.0",
        "Internal-IP": "127.30.0.1",
        "External-IP": "<none>",
        "OS-Image": "<unknown>",
        "Kernel-Version": "<unknown>",
        "Container-Runtime": "<unknown>",
      },
    ],
    [
      "endpoints",
      { subsets: [{ addresses: [{ ip: "127.30.1.1" }, { ip: "::1" }], ports: [{ port: 80 }, { port: 443 }] }] },
      { Name: "x", Endpoints: "127.30.1.1:80,[::1]:80,127.30.1.1:443 + 1 more...", Age: "90s" },
    ],
    [
      "endpointslices",
      {
        addressType: "IPv4",
        endpoints: [{ addresses: ["127.30.1.1"] }, { addresses: ["127.30.1.2"] }],
        ports: [{ port: 80 }],
      },
      { Name: "x", AddressType: "IPv4", Ports: "80", Endpoints: "127.30.1.1,127.30.1.2", Age: "90s" },
    ],
    [
      "endpointslices",
      { addressType: "IPv4", endpoints: [] },
      { Name: "x", AddressType: "IPv4", Ports: "<unset>", Endpoints: "<unset>", Age: "90s" },
    ],
    [
      "events",
      {
        lastTimestamp: ago(5),
        firstTimestamp: ago(65),
        type: "Normal",
        reason: "Pulled",
        message: "ok\n",
        count: 3,
        involvedObject: { kind: "Pod", name: "web", fieldPath: "spec" },
        source: { component: "kubelet", host: "node-1" },
      },
      {
        "Last Seen": "5s",
        Type: "Normal",
        Reason: "Pulled",
        Object: "pod/web",
        Subobject: "spec",
        Source: "kubelet, node-1",
        Message: "ok",
        "First Seen": "65s",
        Count: "3",
        Name: "x",
      },
      "",
    ],
    [
      "events",
      {
        eventTime: ago(7),
        type: "Warning",
        reason: "Failed",
        note: "no",
        regarding: { kind: "Node" },
        reportingController: "c",
      },
      {
        "Last Seen": "7s",
        Type: "Warning",
        Reason: "Failed",
        Object: "node",
        Subobject: "",
        Source: "c",
        Message: "no",
        "First Seen": "7s",
        Count: "1",
        Name: "x",
      },
      "events.k8s.io",
    ],
    [
      "rolebindings",
      {
        roleRef: { kind: "Role", name: "r" },
        subjects: [
          { kind: "User", name: "u" },
          { kind: "ServiceAccount", name: "s", namespace: "n" },
        ],
      },
      { Name: "x", Role: "Role/r", Age: "90s", Users: "u", Groups: "", ServiceAccounts: "n/s" },
    ],
    [
      "ingresses",
      { spec: { rules: [{ host: "a" }, {}], tls: [{}] } },
      { Name: "x", Class: "<none>", Hosts: "a", Address: "", Ports: "80, 443", Age: "90s" },
    ],
    ["leases", { spec: { holderIdentity: "h" } }, { Name: "x", Holder: "h", Age: "90s" }],
    [
      "controllerrevisions",
      {
        revision: 2,
        metadata: {
          ownerReferences: [{ apiVersion: "apps/v1", kind: "DaemonSet", name: "d", uid: "1", controller: true }],
        },
      },
      { Name: "x", Controller: "daemonset.apps/d", Revision: 2, Age: "90s" },
    ],
  ];
  for (const [plural, object, expected, group] of cases) assert.deepEqual(row(plural, object, group), expected, plural);
});

test("a table carries as much of the objects as was asked for", () => {
  const [definition] = definitions.filter(({ type }) => type.plural === "configmaps");
  assert.ok(definition);
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data: { a: "1" } };
  const table = renderTable(definition, [object], { resourceVersion: "7", continue: "next" }, "Metadata");
  assert.deepEqual(table.metadata, { resourceVersion: "7", continue: "next" });
  assert.equal(table.apiVersion, "meta.k8s.io/v1");
  assert.deepEqual(table.rows[0]?.object, {
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: { name: "x" },
  });
  assert.deepEqual(renderTable(definition, [object], {}, "Object").rows[0]?.object, object);
  assert.ok(!("object" in (renderTable(definition, [object], {}, "None").rows[0] ?? {})));
});
