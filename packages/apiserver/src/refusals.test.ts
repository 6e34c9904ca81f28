// What kubectl shows of a bad object: the kinds' refusals in Kubernetes' own words, one table per kind.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { daemonSets, deployments, statefulSets } from "@gatehouse/apimachinery/types/apps-v1";
import { cronJobs, jobs } from "@gatehouse/apimachinery/types/batch-v1";
import { pods, services } from "@gatehouse/apimachinery/types/core-v1";
import { startTestServer, type TestServer } from "./testing.ts";

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
after(() => cluster.close());

type Spec = Record<string, unknown>;

/** An object of any form, on purpose. */
function object<T extends KubeObject>({ group, version, kind }: ResourceType<T>, spec: Spec, name: string): T {
  const apiVersion = group ? `${group}/${version}` : version;
  return { apiVersion, kind, metadata: { name, namespace: "default" }, spec } as unknown as T;
}

async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    assert.equal(error.code, 422, error.message);
    return error.message;
  }
  assert.fail("was accepted");
}

/** Each entry: what is wrong, the spec, and the message after `KIND "x" is invalid: `. */
type Row = [string, Spec, string];

function refuses<T extends KubeObject>(type: ResourceType<T>, rows: Row[]): void {
  const { kind, group } = type;
  for (const [what, spec, expected] of rows) {
    it(`refuses ${what}`, async () => {
      const message = await refusal(client.create(type, object(type, spec, "x")));
      assert.equal(message, `${kind}${group ? `.${group}` : ""} "x" is invalid: ${expected}`);
    });
  }
}

const web = { name: "web", image: "web:1" };
const labels = { app: "web" };
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const pod = (change: Spec): Spec => ({ containers: [{ ...web, ...change }] });
const template = (spec: Spec = {}): Spec => ({ metadata: { labels }, spec: { containers: [web], ...spec } });
const workload = (change: Spec = {}): Spec => ({ selector: { matchLabels: labels }, template: template(), ...change });
const job = (change: Spec = {}): Spec => ({
  template: { spec: { containers: [web], restartPolicy: "Never" } },
  ...change,
});
const port = (change: Spec): Spec => ({ ports: [{ port: 80, ...change }] });

describe("a Pod", () => {
  refuses(pods, [
    ["a container's bad name", pod({ name: "A" }), `spec.containers[0].name: Invalid value: "A": ${label}`],
    [
      "a port without number",
      pod({ ports: [{ containerPort: 0 }] }),
      "spec.containers[0].ports[0].containerPort: Required value",
    ],
    [
      "a port out of range",
      pod({ ports: [{ containerPort: 70_000 }] }),
      "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ],
    [
      "a port's long name",
      pod({ ports: [{ containerPort: 80, name: "a-very-long-port" }] }),
      'spec.containers[0].ports[0].name: Invalid value: "a-very-long-port": must be no more than 15 characters',
    ],
    [
      "a protocol there is not",
      pod({ ports: [{ containerPort: 80, protocol: "ICMP" }] }),
      'spec.containers[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
    [
      "a variable with two sources",
      pod({ env: [{ name: "A", value: "x", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] }),
      'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ],
    [
      "a variable from nowhere",
      pod({ env: [{ name: "A", valueFrom: {} }] }),
      'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
    ],
    [
      "a variable from a field there is not",
      pod({ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.foo" } } }] }),
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.foo": error converting fieldPath: field label not supported: metadata.foo',
    ],
    [
      "a request above its limit",
      pod({ resources: { requests: { cpu: "2" }, limits: { cpu: "1500m" } } }),
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1500m',
    ],
    [
      "a negative amount",
      pod({ resources: { requests: { cpu: "-1" } } }),
      'spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ],
    [
      "a probe that asks nothing",
      pod({ readinessProbe: {} }),
      "spec.containers[0].readinessProbe: Required value: must specify a handler type",
    ],
    [
      "a probe that asks twice",
      pod({ livenessProbe: { httpGet: { port: 80 }, tcpSocket: { port: 80 } } }),
      "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
    ],
    [
      "a liveness probe that must succeed twice",
      pod({ livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }),
      "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
    ],
    [
      "a probe of a port out of range",
      pod({ readinessProbe: { httpGet: { port: 0, path: "/" } } }),
      "spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive",
    ],
    [
      "one path mounted twice",
      {
        volumes: [{ name: "a" }],
        ...pod({
          volumeMounts: [
            { name: "a", mountPath: "/a" },
            { name: "a", mountPath: "/a" },
          ],
        }),
      },
      'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
    ],
    [
      "one volume of two kinds",
      { volumes: [{ name: "a", emptyDir: {}, secret: { secretName: "s" } }], ...pod({}) },
      "spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type",
    ],
    [
      "two volumes of one name",
      { volumes: [{ name: "a" }, { name: "a" }], ...pod({}) },
      'spec.volumes[1].name: Duplicate value: "a"',
    ],
    [
      "a volume of no Secret",
      { volumes: [{ name: "a", secret: {} }], ...pod({}) },
      "spec.volumes[0].secret.secretName: Required value",
    ],
    [
      "an unknown restartPolicy",
      { ...pod({}), restartPolicy: "Sometimes" },
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ],
    [
      "an init container with probes",
      { ...pod({}), initContainers: [{ name: "i", image: "i", readinessProbe: { tcpSocket: { port: 1 } } }] },
      "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
    ],
    [
      "a toleration of everything that is not said to be",
      { ...pod({}), tolerations: [{ effect: "NoSchedule" }] },
      'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    ],
  ]);

  it("accepts what is right", async () => {
    const spec = {
      volumes: [{ name: "a" }],
      initContainers: [
        { name: "side", image: "x", restartPolicy: "Always", readinessProbe: { tcpSocket: { port: 1 } } },
      ],
      containers: [
        {
          ...web,
          env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app.kubernetes.io/name']" } } }],
          resources: {
            requests: { cpu: "0.5", "example.com/gpu": "1" },
            limits: { cpu: "500m", "example.com/gpu": "1" },
          },
          volumeMounts: [{ name: "a", mountPath: "/a", subPath: "b/c" }],
        },
      ],
      tolerations: [{ operator: "Exists" }],
    };
    const created = await client.create(pods, object(pods, spec, "right"));
    assert.deepEqual(created.spec.volumes, [{ name: "a", emptyDir: {} }]);
  });
});

describe("a Service", () => {
  refuses(services, [
    [
      "a port twice",
      {
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 80 },
        ],
      },
      'spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}',
    ],
    [
      "a node port twice",
      {
        type: "NodePort",
        ports: [
          { name: "a", port: 80, nodePort: 30_100 },
          { name: "b", port: 81, nodePort: 30_100 },
        ],
      },
      "spec.ports[1].nodePort: Duplicate value: 30100",
    ],
    [
      "a node port outside its range",
      {
        type: "NodePort",
        ports: [
          { name: "a", port: 1 },
          { name: "b", port: 2, nodePort: 80 },
        ],
      },
      "spec.ports[1].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
    ],
    [
      "a target port's bad name",
      port({ targetPort: "-web" }),
      'spec.ports[0].targetPort: Invalid value: "-web": must not begin or end with a hyphen',
    ],
    [
      "an IPv6 family",
      { ...port({}), ipFamilies: ["IPv6"] },
      'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    ],
    [
      "two families",
      { ...port({}), ipFamilyPolicy: "RequireDualStack" },
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    ],
    [
      "an external name that is none",
      { type: "ExternalName", externalName: "_" },
      `spec.externalName: Invalid value: "_": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    ],
    [
      "a headless NodePort",
      { type: "NodePort", clusterIP: "None", ...port({}) },
      "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services",
    ],
    [
      "an affinity that lasts too long",
      { ...port({}), sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 90_000 } } },
      "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400",
    ],
    [
      "a class of load balancer without one",
      { ...port({}), loadBalancerClass: "example.com/x" },
      "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
    ],
    [
      "an unknown traffic policy",
      { ...port({}), internalTrafficPolicy: "Near" },
      'spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"',
    ],
  ]);
});

describe("a workload", () => {
  const invalidReplicas = "spec.replicas: Invalid value: -1: must be greater than or equal to 0";
  refuses(deployments, [
    ["fewer than no replicas", workload({ replicas: -1 }), invalidReplicas],
    [
      "an empty selector",
      workload({ selector: {} }),
      "spec.selector: Invalid value: {}: empty selector is invalid for deployment",
    ],
    [
      "a deadline for its pods",
      workload({ template: template({ activeDeadlineSeconds: 5 }) }),
      "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported",
    ],
    [
      "a selector of other pods",
      workload({ selector: { matchLabels: { app: "other" } } }),
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ],
  ]);
  refuses(daemonSets, [
    [
      "an empty selector",
      workload({ selector: {} }),
      "spec.selector: Invalid value: {}: empty selector is invalid for daemonset",
    ],
  ]);
  refuses(statefulSets, [
    ["fewer than no replicas", workload({ replicas: -1 }), invalidReplicas],
    [
      "an empty selector",
      workload({ selector: {} }),
      "spec.selector: Invalid value: {}: empty selector is invalid for statefulset",
    ],
    [
      "a policy there is not",
      workload({ podManagementPolicy: "Chaotic" }),
      "spec.podManagementPolicy: Invalid value: \"Chaotic\": must be 'OrderedReady' or 'Parallel'",
    ],
    [
      "rolling settings for OnDelete",
      workload({ updateStrategy: { type: "OnDelete", rollingUpdate: { partition: 1 } } }),
      "spec.updateStrategy.rollingUpdate: Invalid value: {\"partition\":1}: only allowed for updateStrategy 'RollingUpdate'",
    ],
    [
      "a negative partition",
      workload({ updateStrategy: { rollingUpdate: { partition: -1 } } }),
      "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
    ],
    [
      "claims to volumes",
      workload({
        volumeClaimTemplates: [{ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "data" } }],
      }),
      "spec.volumeClaimTemplates: Forbidden: this cluster has no persistent volumes: use an emptyDir volume in spec.template, or a cluster that has storage",
    ],
  ]);

  it("freezes what cannot change", async () => {
    const set = await client.create(statefulSets, object(statefulSets, workload(), "kept"));
    const scaled = { ...set.spec, replicas: 2, minReadySeconds: 1, updateStrategy: { type: "OnDelete" as const } };
    const changed = await client.update(statefulSets, { ...set, spec: scaled });
    assert.equal(changed.metadata.generation, 2);
    const renamed = { ...changed, spec: { ...changed.spec, serviceName: "other" } };
    assert.equal(
      await refusal(client.update(statefulSets, renamed)),
      'StatefulSet.apps "kept" is invalid: spec: Forbidden: updates to statefulset spec for fields other than ' +
        "'replicas', 'ordinals', 'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and " +
        "'minReadySeconds' are forbidden",
    );
    const deployment = await client.create(deployments, object(deployments, workload(), "kept"));
    const selector = { matchLabels: { app: "web", tier: "x" } };
    const moved = {
      ...workload({ selector }),
      template: { ...template(), metadata: { labels: selector.matchLabels } },
    };
    assert.equal(
      await refusal(client.update(deployments, { ...deployment, spec: moved as never })),
      'Deployment.apps "kept" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"x"}}: field is immutable',
    );
  });
});

describe("a Job", () => {
  refuses(jobs, [
    [
      "pods that are restarted for ever",
      { template: { spec: { containers: [web] } } },
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
    [
      "fewer than no pods",
      job({ parallelism: -1 }),
      "spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
    ],
    [
      "indexes without an end",
      job({ parallelism: 1, completionMode: "Indexed" }),
      "spec.completions: Required value: when completion mode is Indexed",
    ],
    [
      "an unknown mode",
      job({ completionMode: "Random" }),
      'spec.completionMode: Unsupported value: "Random": supported values: "Indexed", "NonIndexed"',
    ],
    [
      "what is not done here",
      job({ successPolicy: { rules: [] } }),
      "spec.successPolicy: Forbidden: this cluster does not support it; leave it out",
    ],
    [
      "a failure policy for pods that are restarted",
      {
        template: { spec: { containers: [web], restartPolicy: "OnFailure" } },
        podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [1] } }] },
      },
      'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
    ],
  ]);

  it("refuses a selector of the writer's making", async () => {
    const spec = job({ selector: { matchLabels: { app: "x" } } });
    const message = await refusal(client.create(jobs, object(jobs, spec, "x")));
    assert.match(
      message,
      /spec\.template\.metadata\.labels: Invalid value: .*: `selector` does not match template `labels`/,
    );
  });

  it("keeps its template and its completions, unless it is Indexed and grows as a whole", async () => {
    const plain = await client.create(jobs, object(jobs, job(), "plain"));
    const pods = { ...plain.spec.template, spec: { ...plain.spec.template.spec, hostname: "h" } };
    assert.match(
      await refusal(client.update(jobs, { ...plain, spec: { ...plain.spec, template: pods } })),
      /spec\.template: Invalid value: .*: field is immutable$/,
    );
    assert.match(
      await refusal(client.update(jobs, { ...plain, spec: { ...plain.spec, completions: 2 } })),
      /spec\.completions: Invalid value: 2: field is immutable$/,
    );
    const spec = job({ completionMode: "Indexed", completions: 2, parallelism: 2 });
    const indexed = await client.create(jobs, object(jobs, spec, "indexed"));
    const grown = await client.update(jobs, { ...indexed, spec: { ...indexed.spec, completions: 3, parallelism: 3 } });
    assert.equal(grown.spec.completions, 3);
    assert.match(
      await refusal(client.update(jobs, { ...grown, spec: { ...grown.spec, completions: 4 } })),
      /spec\.completions: Invalid value: 4: can only be modified in tandem with spec\.parallelism$/,
    );
  });
});

describe("a CronJob", () => {
  const cron = (change: Spec): Spec => ({ schedule: "* * * * *", jobTemplate: { spec: job() }, ...change });
  refuses(cronJobs, [
    [
      "a schedule that is none",
      cron({ schedule: "* * *" }),
      'spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]',
    ],
    [
      "a zone in the schedule",
      cron({ schedule: "TZ=UTC * * * * *" }),
      'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    ],
    [
      "a zone there is not",
      cron({ timeZone: "Mars/Base" }),
      'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base',
    ],
    [
      "an unknown policy",
      cron({ concurrencyPolicy: "Maybe" }),
      'spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"',
    ],
    [
      "Jobs that could never end",
      cron({ jobTemplate: { spec: { template: { spec: { containers: [web] } } } } }),
      'spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
  ]);
});

describe("other kinds", () => {
  const resource = (group: string, plural: string, kind: string, namespaced = true): ResourceType => ({
    group,
    version: kind === "HorizontalPodAutoscaler" ? "v2" : "v1",
    plural,
    kind,
    namespaced,
  });
  const ingresses = resource("networking.k8s.io", "ingresses", "Ingress");
  const secrets = resource("", "secrets", "Secret");
  const roles = resource("rbac.authorization.k8s.io", "roles", "Role");
  const clusterRoles = resource("rbac.authorization.k8s.io", "clusterroles", "ClusterRole", false);
  const budgets = resource("policy", "poddisruptionbudgets", "PodDisruptionBudget");
  const policies = resource("networking.k8s.io", "networkpolicies", "NetworkPolicy");
  const autoscalers = resource("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler");
  const classes = resource("scheduling.k8s.io", "priorityclasses", "PriorityClass", false);
  const leases = resource("coordination.k8s.io", "leases", "Lease");
  const backend = { service: { name: "s", port: { number: 80 } } };
  const rule = (host: string, path: Spec): Spec => ({
    spec: { rules: [{ host, http: { paths: [{ backend, ...path }] } }] },
  });
  const encoded = (text: string): string => Buffer.from(text).toString("base64");

  const rows: [string, ResourceType, Spec, string][] = [
    [
      "an Ingress of an address",
      ingresses,
      rule("10.0.0.1", { path: "/", pathType: "Prefix" }),
      'Ingress.networking.k8s.io "x" is invalid: spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
    ],
    [
      "an Ingress with a path that leads back",
      ingresses,
      rule("a.example", { path: "/a/../b", pathType: "Exact" }),
      `Ingress.networking.k8s.io "x" is invalid: spec.rules[0].http.paths[0].path: Invalid value: "/a/../b": must not contain '/../'`,
    ],
    [
      "an Ingress to no port",
      ingresses,
      { spec: { defaultBackend: { service: { name: "s" } } } },
      'Ingress.networking.k8s.io "x" is invalid: spec.defaultBackend: Required value: port name or number is required',
    ],
    [
      "credentials that are no JSON, without showing them",
      secrets,
      { type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": encoded("hunter2") } },
      'Secret "x" is invalid: data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be valid JSON',
    ],
    [
      "credentials of nobody",
      secrets,
      { type: "kubernetes.io/basic-auth" },
      'Secret "x" is invalid: [data[%username]: Required value, data[%password]: Required value]',
    ],
    [
      "a Role without verbs",
      roles,
      { rules: [{ apiGroups: [""], resources: ["pods"], verbs: [] }] },
      'Role.rbac.authorization.k8s.io "x" is invalid: rules[0].verbs: Required value: verbs must contain at least one value',
    ],
    [
      "a Role for URLs",
      roles,
      { rules: [{ nonResourceURLs: ["/x"], verbs: ["get"] }] },
      'Role.rbac.authorization.k8s.io "x" is invalid: rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    ],
    [
      "a ClusterRole for nothing",
      clusterRoles,
      { rules: [{ apiGroups: [""], verbs: ["get"] }] },
      'ClusterRole.rbac.authorization.k8s.io "x" is invalid: rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
    [
      "a budget of two minds",
      budgets,
      { spec: { minAvailable: 1, maxUnavailable: 1 } },
      'PodDisruptionBudget.policy "x" is invalid: spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
    ],
    [
      "a policy for nobody",
      policies,
      { spec: { podSelector: {}, ingress: [{ from: [{}] }] } },
      'NetworkPolicy.networking.k8s.io "x" is invalid: spec.ingress[0].from[0]: Required value: must specify a peer',
    ],
    [
      "an autoscaler whose most is less than its fewest",
      autoscalers,
      {
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
          minReplicas: 3,
          maxReplicas: 2,
        },
      },
      'HorizontalPodAutoscaler.autoscaling "x" is invalid: spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`',
    ],
    [
      "a priority above what users have",
      classes,
      { value: 1_500_000_000 },
      'PriorityClass.scheduling.k8s.io "x" is invalid: value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
    ],
    [
      "a Lease of no time",
      leases,
      { spec: { leaseDurationSeconds: 0 } },
      'Lease.coordination.k8s.io "x" is invalid: spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    ],
  ];
  for (const [what, type, body, expected] of rows) {
    it(`refuse ${what}`, async () => {
      const { spec: _, ...empty } = object(type, {}, "x");
      assert.equal(await refusal(client.create(type, { ...empty, ...body })), expected);
    });
  }

  it("keep the number of a Pod's containers", async () => {
    const created = await client.create(pods, object(pods, pod({}), "counted"));
    const containers = [...created.spec.containers, { name: "other", image: "x" }];
    assert.equal(
      await refusal(client.update(pods, { ...created, spec: { ...created.spec, containers } })),
      'Pod "counted" is invalid: spec.containers: Forbidden: pod updates may not add or remove containers',
    );
  });
});
