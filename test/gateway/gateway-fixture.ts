// A gateway for tests: real API server, real controller, real proxy, real backends, all on loopback and free ports.

import { createServer, request, type Server } from "node:http";
import { request as secureRequest } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { namespaces, services } from "@gatehouse/apimachinery/types/core-v1";
import { endpointSlices, serviceNameLabel } from "@gatehouse/apimachinery/types/discovery-v1";
import { startTestServer } from "@gatehouse/apiserver/testing";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { type Controller, startController } from "@gatehouse/gateway/controller";
import { parseAddressPool } from "@gatehouse/gateway/gateway-addresses";
import { gatewayClasses, gateways, httpRoutes } from "@gatehouse/gateway/gateway-resources";
import { createProxy, type ListenerState, type Proxy } from "@gatehouse/proxy/proxy";
import { eventually } from "../until.ts";

export const customResourceDefinitionType: ResourceType = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
  namespaced: false,
};

export interface GatewayFixture {
  client: ApiClient;
  controller: Controller;
  /** The lines the controller logged. */
  logged: string[];
  /** PUT requests to status subresources so far that took effect. */
  statusWrites(): number;
  /** GET through entrypoint `web`. */
  get(host: string, path?: string): Promise<Answer>;
  proxy: Proxy;
}

export interface Answer {
  status: number;
  body: string;
}

export interface GatewayFixtureOptions {
  /** `false` leaves the CRDs out. Default: v1.4.0. */
  gatewayApi?: false | "v1.4.0" | "v1.6.1";
  /** Who the controller is, when not an administrator. */
  user?: string;
  /** What the controller's client goes through. */
  through?: (client: ApiClient) => ApiClient;
}

/** Everything is stopped when the test ends. */
export async function startGateway(t: TestContext, options: GatewayFixtureOptions = {}): Promise<GatewayFixture> {
  const { gatewayApi = "v1.4.0", user, through = (client) => client } = options;
  const server = await startTestServer();
  const client = await server.client();
  if (gatewayApi) await installGatewayApi(client, gatewayApi);
  const own = through(user === undefined ? client : await server.client({ user, groups: ["system:authenticated"] }));
  let writes = 0;
  const counted: ApiClient = {
    ...own,
    updateStatus: async (type, object, writeOptions) => {
      const updated = await own.updateStatus(type, object, writeOptions);
      writes++;
      return updated;
    },
  };
  const proxy = createProxy();
  let states: ListenerState[] = [];
  const logged: string[] = [];
  const note = (line: string): void => void logged.push(line);
  const log: Log = { info: note, warn: note, error: (message, error) => note(`${message}: ${String(error)}`) };
  const controller = startController({
    client: counted,
    proxy: { apply: async (table) => (states = await proxy.apply(table)) },
    log,
    entryPoints: [{ name: "web", port: 8000, addresses: [{ host: "127.0.0.1", port: 0 }] }],
    reservedPorts: new Map(),
    pool: parseAddressPool(`127.${200 + (process.pid % 32)}.${Math.floor(Math.random() * 200)}.0/24`),
    sharedAddresses: () => [],
    namespaces: [],
    labelSelector: "",
  });
  t.after(async () => {
    await controller.stop();
    await proxy.close({ graceMs: 0 });
    await server.close();
  });
  return {
    client,
    controller,
    logged,
    proxy,
    statusWrites: () => writes,
    get: (host, path = "/") => {
      const state = states.find(({ listener }) => listener === "web");
      return get(state?.host ?? "", state?.port ?? 0, host, path);
    },
  };
}

export async function installGatewayApi(client: ApiClient, version: "v1.4.0" | "v1.6.1" = "v1.4.0"): Promise<void> {
  for (const definition of customResourceDefinitions({ version, channel: "standard" })) {
    await client.create(customResourceDefinitionType, definition);
  }
  await eventually(async () => void (await client.list(httpRoutes)));
}

/** The rights of the official chart of the 39 line. It goes with v1.4.0, which has neither listener sets nor UDP routes. */
export async function grantAsChart39(client: ApiClient, user: string): Promise<void> {
  const group = "rbac.authorization.k8s.io";
  const type = (kind: string): ResourceType => ({
    group,
    version: "v1",
    plural: `${kind.toLowerCase()}s`,
    kind,
    namespaced: false,
  });
  const kinds = [
    "backendtlspolicies",
    "gatewayclasses",
    "gateways",
    "grpcroutes",
    "httproutes",
    "tcproutes",
    "tlsroutes",
  ];
  const verbs = ["get", "list", "watch"];
  const gateway = ["gateway.networking.k8s.io"];
  const rules = [
    { apiGroups: [""], resources: ["namespaces", "nodes", "services", "secrets", "configmaps"], verbs },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    { apiGroups: gateway, resources: [...kinds, "referencegrants"], verbs },
    { apiGroups: gateway, resources: kinds.map((name) => `${name}/status`), verbs: ["update"] },
  ];
  const common = { apiVersion: `${group}/v1`, metadata: { name: user } };
  await client.create(type("ClusterRole"), { ...common, kind: "ClusterRole", rules });
  await client.create(type("ClusterRoleBinding"), {
    ...common,
    kind: "ClusterRoleBinding",
    roleRef: { apiGroup: group, kind: "ClusterRole", name: user },
    subjects: [{ apiGroup: group, kind: "User", name: user }],
  });
}

/** One request over a connection of its own. Rejects when nobody listens. */
export function get(address: string, port: number, host: string, path = "/"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: address, port, path, headers: { host }, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** The body of a GET over TLS, the server's certificate being checked against `ca` for the address's name `localhost`. */
export function getSecurely(address: string, port: number, host: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port, headers: { host }, agent: false as const, ca, servername: "localhost" };
    const outgoing = secureRequest(options, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve(body));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** Secret `traefik/cert` of type kubernetes.io/tls. PEM in, base64 out. */
export function certificateSecret({ cert, key }: { cert: string | Buffer; key: string | Buffer }) {
  const base64 = (pem: string | Buffer): string => Buffer.from(pem).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "cert", namespace: "traefik" },
    type: "kubernetes.io/tls",
    data: { "tls.crt": base64(cert), "tls.key": base64(key) },
  };
}

/** A backend that answers with its name; its port. */
export async function startBackend(t: TestContext, name: string): Promise<number> {
  const server: Server = createServer((_request, response) => response.end(name));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** Service `name` in namespace `demo`, port 80, backed by `ports` of 127.0.0.1. */
export async function createService(client: ApiClient, name: string, ports: number[]): Promise<void> {
  await client.create(services, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "demo" },
    spec: { ports: [{ name: "http", port: 80 }] },
  });
  for (const port of ports) await client.create(endpointSlices, endpointSlice(name, port));
}

export function endpointSlice(service: string, port: number, ready = true) {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${service}-${port}`, namespace: "demo", labels: { [serviceNameLabel]: service } },
    addressType: "IPv4" as const,
    ports: [{ name: "http", port, protocol: "TCP" as const }],
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready } }],
  };
}

/** Namespaces, the class `traefik`, and Gateway `traefik/traefik-gateway` with listener `web` on port 8000 for all. */
export async function createDemoGateway(client: ApiClient): Promise<void> {
  for (const name of ["traefik", "demo"]) {
    await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  await client.create(gatewayClasses, {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { name: "traefik" },
    spec: { controllerName: "traefik.io/gateway-controller" },
  });
  await client.create(gateways, {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "traefik-gateway", namespace: "traefik" },
    spec: {
      gatewayClassName: "traefik",
      listeners: [{ name: "web", protocol: "HTTP", port: 8000, allowedRoutes: { namespaces: { from: "All" } } }],
    },
  });
}

/** An HTTPRoute of namespace `demo` at the demo's Gateway. */
export function demoRoute(name: string, host: string, service: string, port = 80) {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name, namespace: "demo" },
    spec: {
      parentRefs: [{ name: "traefik-gateway", namespace: "traefik" }],
      hostnames: [host],
      rules: [{ backendRefs: [{ name: service, port }] }],
    },
  };
}

/** Status and reason of each condition: `{ Accepted: "True Accepted" }`. */
export function conditionsOf(
  conditions: { type: string; status: string; reason: string }[] = [],
): Record<string, string> {
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}
