// Services of type NodePort and LoadBalancer, over real sockets: reached on the node's address, in step with their pods.

import assert from "node:assert/strict";
import { request } from "node:http";
import { createServer, type Server } from "node:net";
import { after, before, describe, test, type TestContext } from "node:test";
import { eventually } from "../until.ts";
import { gatehouseProgram, run, startTestCluster, type TestCluster } from "./test-cluster.ts";

const external = process.env.GATEHOUSE_TEST_CONTEXT ? "the ports of an external cluster's node are not ours" : false;

describe("Services reached from outside", { skip: external }, () => {
  let cluster: TestCluster;
  let node: string;
  before(async () => {
    cluster = await startTestCluster();
    node = await jsonPath("nodes", '{.items[0].status.addresses[?(@.type=="InternalIP")].address}');
  });
  after(() => cluster?.remove());

  const kubectl = async (...args: string[]): Promise<string> => {
    const result = await cluster.kubectl(...args);
    assert.equal(result.code, 0, result.stderr);
    return result.stdout;
  };
  const jsonPath = (what: string, path: string): Promise<string> =>
    kubectl("get", ...what.split(" "), "-n", "demo", "-o", `jsonpath=${path}`);

  const apply = async (object: object): Promise<void> => {
    const args = ["apply", "--context", cluster.context, "-f", "-"];
    const result = await run(gatehouseProgram, args, cluster.environment, JSON.stringify(object));
    assert.equal(result.code, 0, result.stderr);
  };

  /** A Service of the whoami-v1 pods; deleted after the test. */
  const create = async (t: TestContext, name: string, spec: object): Promise<void> => {
    await apply({ apiVersion: "v1", kind: "Service", metadata: { name, namespace: "demo" }, spec });
    t.after(() => cluster.kubectl("delete", "service", name, "-n", "demo", "--ignore-not-found"));
  };
  const balancer = (port: number, more: object = {}): object => ({
    type: "LoadBalancer",
    selector: { app: "whoami-v1" },
    ports: [{ port, targetPort: 80 }],
    ...more,
  });
  const untilIngress = (name: string, expected: string, patienceMs?: number): Promise<void> =>
    eventually(async () => {
      assert.equal(await jsonPath(`service ${name}`, "{.status.loadBalancer.ingress}"), expected);
    }, patienceMs);
  const untilEvent = (name: string, message: RegExp): Promise<void> =>
    eventually(async () => {
      const events = await kubectl("get", "events", "-n", "demo", "--field-selector", `involvedObject.name=${name}`);
      assert.match(events, message);
    });
  const ours = (): string => `[{"ip":"${node}","ipMode":"VIP"}]`;

  test("a LoadBalancer gets the node's address, and its connections go to all pods in turn", async (t) => {
    const port = await freePort(node);
    await create(t, "balanced", balancer(port));
    await untilIngress("balanced", ours());
    const pods = [];
    for (let index = 0; index < 4; index++) pods.push(await podAt(node, port));
    assert.equal(new Set(pods).size, 2, pods.join(" "));
    const nodePort = Number(await jsonPath("service balanced", "{.spec.ports[0].nodePort}"));
    assert.match(await podAt(node, nodePort), /^whoami-v1-/);
  });

  test("a NodePort is open on the node's address, and has no ingress", async (t) => {
    await create(t, "node-port", balancer(80, { type: "NodePort" }));
    const nodePort = Number(await jsonPath("service node-port", "{.spec.ports[0].nodePort}"));
    await eventually(async () => assert.match(await podAt(node, nodePort), /^whoami-v1-/));
    await untilIngress("node-port", "");
  });

  test("endpoints that come and go are followed; without any, connections are reset", async (t) => {
    const port = await freePort(node);
    await create(t, "followed", balancer(port, { selector: { app: "whoami-v2" } }));
    await untilIngress("followed", ours());
    assert.match(await podAt(node, port), /^whoami-v2-/);
    await kubectl("scale", "deployment", "whoami-v2", "-n", "demo", "--replicas=0");
    await eventually(() => assert.rejects(podAt(node, port), { code: "ECONNRESET" }));
    await kubectl("scale", "deployment", "whoami-v2", "-n", "demo", "--replicas=2");
    await eventually(async () => assert.match(await podAt(node, port), /^whoami-v2-/));
    await untilIngress("followed", ours());
  });

  test("with sessionAffinity ClientIP a client stays with its pod", async (t) => {
    const port = await freePort(node);
    await create(t, "sticky", balancer(port, { sessionAffinity: "ClientIP" }));
    await untilIngress("sticky", ours());
    const pods = [];
    for (let index = 0; index < 4; index++) pods.push(await podAt(node, port));
    assert.equal(new Set(pods).size, 1, pods.join(" "));
  });

  test("a port in use leaves it pending with the reason, until the port is free", async (t) => {
    const { server, port } = await listenOn(node);
    t.after(() => server.close());
    await create(t, "waiting", balancer(port));
    await untilEvent("waiting", new RegExp(`Warning +PortUnavailable .*${node}:${port} cannot be opened: .*choose`));
    assert.equal(await jsonPath("service waiting", "{.status.loadBalancer.ingress}"), "");
    server.close();
    // Nobody tells of it: the port is tried every five seconds.
    await untilIngress("waiting", ours(), 30_000);
    assert.match(await podAt(node, port), /^whoami-v1-/);
  });

  test("a port that another Service has is given to the next when that one goes", async (t) => {
    const port = await freePort(node);
    await create(t, "first", balancer(port));
    await untilIngress("first", ours());
    await create(t, "second", balancer(port));
    await untilEvent("second", /Service demo\/first has it/);
    await kubectl("delete", "service", "first", "-n", "demo");
    await untilIngress("second", ours());
  });

  test("a Service that is deleted, or changes its type or port, closes its ports", async (t) => {
    const [one, other] = [await freePort(node), await freePort(node)];
    await create(t, "changing", balancer(one));
    await untilIngress("changing", ours());
    const moved = JSON.stringify([{ op: "replace", path: "/spec/ports/0/port", value: other }]);
    await kubectl("patch", "service", "changing", "-n", "demo", "--type=json", "-p", moved);
    await eventually(async () => assert.match(await podAt(node, other), /^whoami-v1-/));
    await refused(node, one);
    await kubectl("patch", "service", "changing", "-n", "demo", "-p", '{"spec":{"type":"ClusterIP"}}');
    await untilIngress("changing", "");
    await refused(node, other);
    await kubectl("patch", "service", "changing", "-n", "demo", "-p", '{"spec":{"type":"LoadBalancer"}}');
    await untilIngress("changing", ours());
    await kubectl("delete", "service", "changing", "-n", "demo");
    await eventually(() => refused(node, other));
  });

  test("another implementation's LoadBalancer is left to it; UDP is said not to be carried", async (t) => {
    const [foreign, mixed] = [await freePort(node), await freePort(node)];
    await create(t, "foreign", balancer(foreign, { loadBalancerClass: "example.com/other" }));
    const ports = [
      { name: "http", port: mixed, targetPort: 80 },
      { name: "dns", port: 5353, protocol: "UDP" },
    ];
    await create(t, "mixed", balancer(mixed, { ports }));
    await untilIngress("mixed", ours());
    await untilEvent("mixed", /port 5353\/UDP is not opened: only TCP/);
    await refused(node, foreign);
    assert.equal(await jsonPath("service foreign", "{.status.loadBalancer.ingress}"), "");
  });

  test("a pod on the host's network that does not listen leads no connection back: one cannot beget others", async (t) => {
    const port = await freePort(node);
    const metadata = { name: "silent", namespace: "demo", labels: { app: "silent" } };
    const container = { name: "main", image: "traefik/whoami:v1.10", args: ["--port", String(await freePort(node))] };
    await apply({ apiVersion: "v1", kind: "Pod", metadata, spec: { hostNetwork: true, containers: [container] } });
    t.after(() => cluster.kubectl("delete", "pod", "silent", "-n", "demo"));
    const ports = [{ port, targetPort: port }];
    await create(t, "looping", balancer(port, { selector: { app: "silent" }, ports }));
    await untilIngress("looping", ours());
    await kubectl("wait", "--for=condition=Ready", "pod/silent", "-n", "demo", "--timeout=60s");
    await eventually(async () => {
      await assert.rejects(podAt(node, port), { code: "ECONNRESET" });
      const events = await kubectl("get", "events", "-n", "demo", "--field-selector", "involvedObject.name=looping");
      assert.match(
        events,
        new RegExp(`EndpointLoops .*endpoint ${node}:${port} is not used: Service demo/looping has`),
      );
    });
    assert.equal(await kubectl("get", "--raw", "/readyz"), "ok");
  });

  test("a stopped and started cluster opens the ports again, before it says that it is up", async (t) => {
    const port = await freePort(node);
    await create(t, "lasting", balancer(port));
    await untilIngress("lasting", ours());
    await cluster.gatehouse("stop");
    await refused(node, port);
    const started = await cluster.gatehouse("start");
    assert.equal(started.code, 0, started.stderr);
    assert.match(await podAt(node, port), /^whoami-v1-/);
  });
});

/** The name of the pod that answers, over a connection of its own. */
function podAt(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, agent: false, timeout: 10_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("error", reject);
      response.once("end", () => resolve(/^Hostname: (.*)$/m.exec(body)?.[1] ?? ""));
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error("no answer within 10 s")));
    outgoing.once("error", reject);
    outgoing.end();
  });
}

async function refused(host: string, port: number): Promise<void> {
  await assert.rejects(podAt(host, port), { code: "ECONNREFUSED" });
}

function listenOn(host: string): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, () => {
      const address = server.address();
      resolve({ server, port: typeof address === "object" && address ? address.port : 0 });
    });
  });
}

async function freePort(host: string): Promise<number> {
  const { server, port } = await listenOn(host);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
