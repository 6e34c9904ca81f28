// What the official Traefik Helm chart (39.x) renders for the values the demo uses, so that the same
// manifests/traefik-values.yaml drives the embedded cluster. Pure: values in, objects out. A value this rendering does
// not know is refused by name rather than ignored; on a real cluster Helm installs the real chart.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { PodSpec } from "@gatehouse/apimachinery/types/core-v1";
import { UserError } from "../../user-error.ts";

/** Release name and namespace, as in `helm install traefik ... --namespace traefik`. */
export interface ChartRelease {
  name: string;
  namespace: string;
}

interface PortValues {
  port: number;
  containerPort?: number;
  hostPort?: number | null;
  hostIP?: string | null;
  exposedPort?: number;
  targetPort?: number | string | null;
  nodePort?: number | null;
  expose?: { default?: boolean };
  protocol?: "TCP" | "UDP";
  forwardedHeaders?: { trustedIPs?: string[]; insecure?: boolean };
  http?: { tls: { enabled: boolean } };
}

interface ChartValues {
  image: { registry: string; repository: string; tag: string; pullPolicy: string };
  deployment: { kind: string; replicas: number; terminationGracePeriodSeconds: number; minReadySeconds: number };
  updateStrategy: { type: string; rollingUpdate: { maxUnavailable: number | string; maxSurge: number | string } };
  readinessProbe: Record<string, number>;
  livenessProbe: Record<string, number>;
  ports: Record<string, PortValues | null>;
  service: { enabled: boolean; type: string };
  providers: {
    kubernetesGateway: { enabled: boolean; namespaces: string[]; labelSelector: string };
    kubernetesIngress: { enabled: boolean };
    kubernetesCRD: { enabled: boolean };
  };
  gatewayClass: { enabled: boolean; name: string; labels: Record<string, string> };
  gateway: { enabled: boolean };
  ingressClass: { enabled: boolean };
  ingressRoute: { dashboard: { enabled: boolean } };
  api: { dashboard: boolean };
  metrics: { prometheus: { entryPoint: string } | null } | null;
  additionalArguments: string[];
  env: { name: string; value?: string }[];
  logs: {
    general: { level: string; format: string | null };
    access: { enabled: boolean; format: string | null };
  };
  global: { checkNewVersion: boolean; sendAnonymousUsage: boolean };
}

/** The chart's own defaults for every value known here (values.yaml of 39.0.9). */
const defaults: ChartValues = {
  image: { registry: "docker.io", repository: "traefik", tag: "v3.6.15", pullPolicy: "IfNotPresent" },
  deployment: { kind: "Deployment", replicas: 1, terminationGracePeriodSeconds: 60, minReadySeconds: 0 },
  updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
  readinessProbe: {
    failureThreshold: 1,
    initialDelaySeconds: 2,
    periodSeconds: 10,
    successThreshold: 1,
    timeoutSeconds: 2,
  },
  livenessProbe: {
    failureThreshold: 3,
    initialDelaySeconds: 2,
    periodSeconds: 10,
    successThreshold: 1,
    timeoutSeconds: 2,
  },
  ports: {
    traefik: { port: 8080, exposedPort: 8080, expose: { default: false }, protocol: "TCP" },
    web: { port: 8000, exposedPort: 80, expose: { default: true }, protocol: "TCP" },
    websecure: {
      port: 8443,
      exposedPort: 443,
      expose: { default: true },
      protocol: "TCP",
      http: { tls: { enabled: true } },
    },
    metrics: { port: 9100, exposedPort: 9100, expose: { default: false }, protocol: "TCP" },
  },
  service: { enabled: true, type: "LoadBalancer" },
  providers: {
    kubernetesGateway: { enabled: false, namespaces: [], labelSelector: "" },
    kubernetesIngress: { enabled: true },
    kubernetesCRD: { enabled: true },
  },
  gatewayClass: { enabled: true, name: "traefik", labels: {} },
  gateway: { enabled: true },
  ingressClass: { enabled: true },
  ingressRoute: { dashboard: { enabled: false } },
  api: { dashboard: true },
  metrics: { prometheus: { entryPoint: "metrics" } },
  additionalArguments: [],
  env: [],
  logs: { general: { level: "INFO", format: null }, access: { enabled: false, format: null } },
  global: { checkNewVersion: true, sendAnonymousUsage: false },
};

const optionalPortKeys = ["containerPort", "hostPort", "hostIP", "targetPort", "nodePort", "forwardedHeaders"];
/** Maps and lists of the user's own: their insides are taken as they are. */
const openValues = new Set([
  "gatewayClass.labels",
  "additionalArguments",
  "env",
  "providers.kubernetesGateway.namespaces",
]);

/** The objects of the release in the order Helm would create them. Throws a UserError for values that are not supported. */
export function renderTraefikChart(values: unknown, release: ChartRelease, source: string): KubeObject[] {
  const merged = mergeValues(defaults, values ?? {}, "", source) as ChartValues;
  refuseUnsupported(merged, source);
  const labels = chartLabels(release);
  return [
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { ...metadata(release, labels) },
      automountServiceAccountToken: false,
    },
    clusterRole(release, labels),
    clusterRoleBinding(release, labels),
    ...(merged.gatewayClass.enabled ? [gatewayClass(merged, labels)] : []),
    ...(merged.service.enabled ? [service(merged, release, labels)] : []),
    workload(merged, release, labels),
  ];
}

/** Helm's merge: maps by key, null removes, everything else replaces. */
function mergeValues(base: unknown, over: unknown, path: string, source: string): unknown {
  if (over === null) return null;
  if (!isMap(base) || openValues.has(path)) return over;
  if (!isMap(over)) throw new UserError(`${source}: ${path || "the file"} must be a mapping`);
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const child = path ? `${path}.${key}` : key;
    const known = key in base || path.endsWith("Probe");
    const isPort = path === "ports";
    const isPortKey = /^ports\.[^.]+$/.test(path) && optionalPortKeys.includes(key);
    if (!known && !isPort && !isPortKey) {
      throw new UserError(
        `${source}: ${child} is not supported by the embedded cluster's gateway: remove it, or use a real cluster with the Traefik chart`,
      );
    }
    merged[key] =
      isPort && !known ? { protocol: "TCP", ...(value as object) } : mergeValues(base[key], value, child, source);
  }
  return merged;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuseUnsupported(values: ChartValues, source: string): void {
  const wrong: [boolean, string][] = [
    [
      !values.providers.kubernetesGateway.enabled,
      "providers.kubernetesGateway.enabled must be true: the embedded gateway reads nothing else",
    ],
    [
      values.providers.kubernetesIngress.enabled,
      "providers.kubernetesIngress.enabled must be false: Ingress objects are not routed",
    ],
    [
      values.providers.kubernetesCRD.enabled,
      "providers.kubernetesCRD.enabled must be false: IngressRoute objects are not routed",
    ],
    [values.gateway.enabled, "gateway.enabled must be false: write the Gateway yourself, see manifests/gateway.yaml"],
    [
      values.ingressRoute.dashboard.enabled,
      "ingressRoute.dashboard.enabled must be false: use an HTTPRoute, see manifests/httproute-dashboard.yaml",
    ],
    [!["DaemonSet", "Deployment"].includes(values.deployment.kind), "deployment.kind must be DaemonSet or Deployment"],
  ];
  for (const [isWrong, message] of wrong) if (isWrong) throw new UserError(`${source}: ${message}`);
}

function chartLabels(release: ChartRelease): Record<string, string> {
  return { ...selectorLabels(release), "helm.sh/chart": "traefik-39.0.9", "app.kubernetes.io/managed-by": "gatehouse" };
}

function selectorLabels(release: ChartRelease): Record<string, string> {
  return { "app.kubernetes.io/name": "traefik", "app.kubernetes.io/instance": `${release.name}-${release.namespace}` };
}

function metadata(release: ChartRelease, labels: Record<string, string>) {
  return { name: release.name, namespace: release.namespace, labels };
}

const clusterRoleName = (release: ChartRelease): string => `${release.name}-${release.namespace}`;

/** Read what routing needs, write statuses, and make the Services of Gateways that ask for some (infrastructure.labels). */
function clusterRole(release: ChartRelease, labels: Record<string, string>): KubeObject {
  const kinds = [
    "backendtlspolicies",
    "gatewayclasses",
    "gateways",
    "grpcroutes",
    "httproutes",
    "tcproutes",
    "tlsroutes",
  ];
  // The chart knows neither; the built-in gateway reads them where their definitions are installed.
  const gatewayApi = [...kinds, "listenersets", "udproutes"];
  const experimental = ["xbackends", "xbackendtrafficpolicies", "xlistenersets"];
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: clusterRoleName(release), labels },
    rules: [
      {
        apiGroups: [""],
        resources: ["namespaces", "nodes", "services", "secrets", "configmaps"],
        verbs: ["get", "list", "watch"],
      },
      { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
      { apiGroups: [""], resources: ["services"], verbs: ["create", "patch", "delete"] },
      {
        apiGroups: ["discovery.k8s.io"],
        resources: ["endpointslices"],
        verbs: ["list", "watch", "create", "patch", "delete"],
      },
      {
        apiGroups: ["gateway.networking.k8s.io"],
        resources: [...gatewayApi, "referencegrants"],
        verbs: ["get", "list", "watch"],
      },
      {
        apiGroups: ["gateway.networking.k8s.io"],
        resources: gatewayApi.map((name) => `${name}/status`),
        verbs: ["update"],
      },
      { apiGroups: ["gateway.networking.x-k8s.io"], resources: experimental, verbs: ["get", "list", "watch"] },
      {
        apiGroups: ["gateway.networking.x-k8s.io"],
        resources: experimental.map((name) => `${name}/status`),
        verbs: ["update"],
      },
      {
        apiGroups: ["apiextensions.k8s.io"],
        resources: ["customresourcedefinitions"],
        verbs: ["get", "list", "watch"],
      },
    ],
  };
}

function clusterRoleBinding(release: ChartRelease, labels: Record<string, string>): KubeObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: clusterRoleName(release), labels },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: clusterRoleName(release) },
    subjects: [{ kind: "ServiceAccount", name: release.name, namespace: release.namespace }],
  };
}

function gatewayClass(values: ChartValues, labels: Record<string, string>): KubeObject {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { name: values.gatewayClass.name || "traefik", labels: { ...labels, ...values.gatewayClass.labels } },
    spec: { controllerName: "traefik.io/gateway-controller" },
  };
}

function service(values: ChartValues, release: ChartRelease, labels: Record<string, string>): KubeObject {
  const ports = enabledPorts(values)
    .filter(([, port]) => port.expose?.default)
    .map(([name, port]) => ({
      name,
      port: port.exposedPort ?? port.port,
      targetPort: port.targetPort ?? name,
      protocol: port.protocol ?? "TCP",
      ...(port.nodePort ? { nodePort: port.nodePort } : {}),
    }));
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(release, labels),
    spec: { type: values.service.type, selector: selectorLabels(release), ports },
  };
}

function workload(values: ChartValues, release: ChartRelease, labels: Record<string, string>): KubeObject {
  const template = { metadata: { labels }, spec: podSpec(values, release) };
  const common = {
    selector: { matchLabels: selectorLabels(release) },
    template,
    minReadySeconds: values.deployment.minReadySeconds,
  };
  const daemonSet = values.deployment.kind === "DaemonSet";
  return {
    apiVersion: "apps/v1",
    kind: values.deployment.kind,
    metadata: metadata(release, labels),
    spec: daemonSet
      ? { ...common, updateStrategy: values.updateStrategy }
      : { ...common, replicas: values.deployment.replicas, strategy: values.updateStrategy },
  };
}

function podSpec(values: ChartValues, release: ChartRelease): PodSpec {
  const { image, ports } = values;
  const ping = { path: "/ping", port: ports.traefik?.port ?? 8080, scheme: "HTTP" as const };
  return {
    serviceAccountName: release.name,
    automountServiceAccountToken: true,
    terminationGracePeriodSeconds: values.deployment.terminationGracePeriodSeconds,
    containers: [
      {
        name: release.name,
        image: `${image.registry}/${image.repository}:${image.tag}`,
        imagePullPolicy: image.pullPolicy as "IfNotPresent",
        args: traefikArguments(values, release),
        ...(values.env.length > 0 ? { env: values.env } : {}),
        readinessProbe: { httpGet: ping, ...values.readinessProbe },
        livenessProbe: { httpGet: ping, ...values.livenessProbe },
        ports: enabledPorts(values).map(([name, port]) => ({
          name,
          containerPort: port.containerPort ?? port.port,
          ...(port.hostPort ? { hostPort: port.hostPort } : {}),
          ...(port.hostIP ? { hostIP: port.hostIP } : {}),
          protocol: port.protocol ?? "TCP",
        })),
      },
    ],
  };
}

function traefikArguments(values: ChartValues, release: ChartRelease): string[] {
  const { kubernetesGateway } = values.providers;
  const prometheus = values.metrics?.prometheus;
  const entryPoints = enabledPorts(values).flatMap(([name, port]) => [
    `--entryPoints.${name}.address=${port.hostIP ?? ""}:${port.port}/${(port.protocol ?? "TCP").toLowerCase()}`,
    ...(port.forwardedHeaders?.trustedIPs?.length
      ? [`--entryPoints.${name}.forwardedHeaders.trustedIPs=${port.forwardedHeaders.trustedIPs.join(",")}`]
      : []),
    ...(port.forwardedHeaders?.insecure ? [`--entryPoints.${name}.forwardedHeaders.insecure`] : []),
  ]);
  return [
    ...(values.global.checkNewVersion ? [] : ["--global.checkNewVersion=false"]),
    ...(values.global.sendAnonymousUsage ? ["--global.sendAnonymousUsage"] : []),
    ...entryPoints,
    ...(values.api.dashboard ? ["--api.dashboard=true"] : []),
    "--ping=true",
    ...(prometheus ? ["--metrics.prometheus=true", `--metrics.prometheus.entrypoint=${prometheus.entryPoint}`] : []),
    "--providers.kubernetesgateway",
    `--providers.kubernetesgateway.statusaddress.service.name=${release.name}`,
    `--providers.kubernetesgateway.statusaddress.service.namespace=${release.namespace}`,
    ...(kubernetesGateway.namespaces.length > 0
      ? [`--providers.kubernetesgateway.namespaces=${kubernetesGateway.namespaces.join(",")}`]
      : []),
    ...(kubernetesGateway.labelSelector
      ? [`--providers.kubernetesgateway.labelSelector=${kubernetesGateway.labelSelector}`]
      : []),
    ...enabledPorts(values).flatMap(([name, port]) =>
      port.http?.tls.enabled ? [`--entryPoints.${name}.http.tls=true`] : [],
    ),
    ...logArguments(values.logs),
    ...values.additionalArguments,
  ];
}

function logArguments({ general, access }: ChartValues["logs"]): string[] {
  return [
    ...(general.format ? [`--log.format=${general.format}`] : []),
    `--log.level=${general.level}`,
    ...(access.enabled
      ? [
          "--accesslog=true",
          ...(access.format ? [`--accesslog.format=${access.format}`] : []),
          "--accesslog.fields.defaultmode=keep",
          "--accesslog.fields.headers.defaultmode=drop",
        ]
      : []),
  ];
}

/** Ports in the chart's order (by name, as Go's templates range over maps), without those set to null. */
function enabledPorts(values: ChartValues): [string, PortValues][] {
  return Object.entries(values.ports)
    .filter((entry): entry is [string, PortValues] => entry[1] !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
