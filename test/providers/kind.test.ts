// A user's session with `--cluster kind`, on a pretended Docker with real Kubernetes inside.

import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { parse, stringify } from "yaml";
import { root } from "../system/test-cluster.ts";
import { findHelm } from "../tools/find-helm.ts";
import { type Machine, startMachine } from "./kind-fixture.ts";
import { runSeedSuite } from "./seed-suite.ts";

interface Kubeconfig {
  "current-context"?: string;
  contexts?: { name: string }[];
}

const kubeconfigOf = ({ home }: Machine): Kubeconfig =>
  parse(readFileSync(join(home, ".kube/config"), "utf8")) as Kubeconfig;
const stepsOf = (stdout: string): string[] =>
  [...stdout.matchAll(/^ ✓ (.*) \((?:\d+ ms|\d+\.\d s)\)$/gm)].map(([, step = ""]) => step);

describe("gatehouse up --cluster kind", () => {
  test("from nothing to nothing: up, up again, stop, start, down", async (t) => {
    const machine = await startMachine(t);
    const [http, https] = machine.ports;

    const up = await machine.up();
    assert.equal(up.code, 0, up.stderr + up.stdout);
    assert.deepEqual(
      stepsOf(up.stdout).map((step) => step.replace(/https:\/\/127\.0\.0\.1:\d+/, "API")),
      [
        "Check this machine",
        `Choose ports: ${http} -> 80, ${https} -> 443`,
        'Create the kind cluster "gatehouse": context kind-gatehouse',
        "Wait for the Kubernetes API: API",
        "Install the Gateway API definitions: v1.4.0 (standard channel)",
        "Install the gateway (traefik)",
        "Deploy whoami-v1 and whoami-v2",
        "Apply the Gateway and the HTTPRoutes",
        "Wait until pods, Gateway and routes are ready",
        "Send a request through every route: whoami.localhost/, demo.localhost/v1, demo.localhost/v2, traefik.localhost/dashboard/",
      ],
    );
    assert.match(up.stdout, /\nUp in /);
    assert.match(up.stdout, new RegExp(`^  http://demo\\.localhost:${http}/v2$`, "m"));
    assert.match(up.stdout, /kubectl --context kind-gatehouse get/);
    assert.equal(kubeconfigOf(machine)["current-context"], "kind-gatehouse");
    assert.deepEqual(
      machine.containers().map(({ name, ports }) => ({ name, ports })),
      [
        {
          name: "gatehouse-control-plane",
          ports: [
            { hostPort: http, containerPort: 80 },
            { hostPort: https, containerPort: 443 },
          ],
        },
      ],
    );
    assert.doesNotMatch(up.stdout, /Creating cluster/, "the tools' own lines are in the log only");
    const log = join(machine.home, ".gatehouse/kind/gatehouse/up.log");
    assert.match(readFileSync(log, "utf8"), /\| \$ kind create cluster .*\n.*\| Creating cluster "gatehouse" \.\.\.\n/);
    assert.match(readFileSync(log, "utf8"), /\| \$ helm upgrade --install traefik /);
    assert.equal(statSync(log).mode & 0o777, 0o600);

    machine.forgetCalls();
    const again = await machine.gatehouse("up", "--cluster", "kind", "--http-port", "1234");
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /^\nAlready up: nothing to do\.\n/);
    assert.match(
      again.stderr,
      /^note: the port mapping of a cluster that is there stays as it is: gatehouse down --cluster kind first$/m,
    );
    const looked = machine.calls().filter((call) => !/^docker (ps|inspect) /.test(call));
    assert.deepEqual(looked, [], "nothing but looking is done");
    assert.equal((await machine.gatehouse("status", "--cluster", "kind")).code, 0);

    const stop = await machine.gatehouse("stop", "--cluster", "kind");
    assert.equal(stop.code, 0, stop.stderr);
    assert.match(machine.containers()[0]?.status ?? "", /^Exited/);
    assert.equal((await machine.gatehouse("status", "--cluster", "kind")).code, 1);

    machine.forgetCalls();
    const start = await machine.gatehouse("start", "--cluster", "kind", "--verbose");
    assert.equal(start.code, 0, start.stderr + start.stdout);
    assert.match(start.stdout, /^ +\$ kind export kubeconfig --name gatehouse$/m);
    assert.ok(
      stepsOf(start.stdout).some((step) => step.startsWith("Start gatehouse-control-plane")),
      start.stdout,
    );
    assert.ok(machine.calls("docker").includes("docker start gatehouse-control-plane"));
    assert.deepEqual(machine.calls("kind"), ["kind version", "kind export kubeconfig --name gatehouse"]);

    const down = await machine.down();
    assert.equal(down.code, 0, down.stderr);
    assert.deepEqual(stepsOf(down.stdout), ['Delete the kind cluster "gatehouse"']);
    assert.deepEqual(machine.containers(), []);
    assert.deepEqual(machine.homeFiles(), []);
    assert.match((await machine.down()).stdout, /No cluster "gatehouse": nothing to do\./);
  });

  test("--name and -o json: a cluster beside others, and the user's kubeconfig as it was afterwards", async (t) => {
    const machine = await startMachine(t);
    const kubeconfig = join(machine.home, "kubeconfig");
    const mine = { name: "mine", cluster: { server: "https://mine.example" } };
    const context = { name: "mine", context: { cluster: "mine", user: "mine" } };
    const before = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [mine],
      contexts: [context],
      "current-context": "mine",
    };
    machine.write("kubeconfig", stringify(before));
    machine.environment.KUBECONFIG = kubeconfig;

    const up = await machine.up("--name", "second", "--quiet", "-o", "json");
    assert.equal(up.code, 0, up.stderr);
    const { api, ...summary } = JSON.parse(up.stdout) as { api: string };
    assert.match(api, /^https:\/\/127\.0\.0\.1:\d+$/);
    const [http, https] = machine.ports;
    const url = `.localhost:${http}`;
    assert.deepEqual(summary, {
      provider: "kind",
      name: "second",
      context: "kind-second",
      ports: [
        { containerPort: 80, hostPort: http },
        { containerPort: 443, hostPort: https },
      ],
      entry: { host: "127.0.0.1", port: http },
      urls: [`http://whoami${url}`, `http://demo${url}/v1`, `http://demo${url}/v2`, `http://traefik${url}/dashboard/`],
    });
    const config = parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
    assert.deepEqual(
      config.contexts?.map(({ name }) => name),
      ["mine", "kind-second"],
    );

    assert.match((await machine.down()).stdout, /No cluster "gatehouse": nothing to do\./);
    assert.equal(machine.containers().length, 1);
    assert.equal((await machine.down("--name", "second", "--quiet")).stdout, "");
    assert.deepEqual(machine.containers(), []);
    const after = parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig & { users?: unknown };
    assert.deepEqual({ ...after, users: undefined }, { ...before, users: undefined });
    assert.deepEqual(machine.homeFiles(), ["kubeconfig"]);
  });

  test("the seed's demo is the same on this provider", async (t) => {
    const machine = await startMachine(t);
    const up = await machine.up();
    assert.equal(up.code, 0, up.stderr);
    await seedPasses(machine);
  });

  test("with the real helm", { skip: findHelm().skip }, async (t) => {
    const machine = await startMachine(t, { helm: findHelm().program });
    const chart = ["--chart", join(root, "test/helm/chart")];
    const up = await machine.up(...chart);
    assert.equal(up.code, 0, up.stderr + up.stdout);
    const again = await machine.up(...chart);
    assert.equal(again.code, 0, again.stderr + again.stdout);
    const list = await machine.run("helm", "list", "-n", "traefik", "--kube-context", "kind-gatehouse", "-o", "json");
    const [release] = JSON.parse(list.stdout) as { name: string; status: string; revision: string }[];
    assert.deepEqual([release?.name, release?.status, release?.revision], ["traefik", "deployed", "2"]);
    await seedPasses(machine);
  });

  test("with the real helm, and no way to the chart's repository", { skip: findHelm().skip }, async (t) => {
    const closed = { HTTPS_PROXY: "http://127.0.0.1:1", https_proxy: "http://127.0.0.1:1" };
    const machine = await startMachine(t, { helm: findHelm().program, environment: closed });
    const { code, stderr } = await machine.up();
    assert.equal(code, 1);
    assert.match(stderr, /^error: helm upgrade --install traefik traefik --repo \S+ .* failed with exit code 1$/m);
    assert.match(stderr, /^ {2}\| Error: looks like "\S+" is not a valid chart repository or cannot be reached: /m);
    assert.match(stderr, /^remedy: the chart's repository cannot be reached: .*\nlog: .*up\.log$/m);
  });
});

describe("the Gateway API definitions of a kind cluster", () => {
  test("come from a URL; one that is not there is named", async (t) => {
    const machine = await startMachine(t);
    const server = await serve({ "/crds.yaml": bundle("v1.4.1") });
    t.after(() => server.close());

    const wrong = await machine.up("--gateway-api-crds", server.url("/nothing.yaml"));
    assert.equal(wrong.code, 1);
    assert.match(
      wrong.stderr,
      new RegExp(`^error: unable to read URL "${server.url("/nothing.yaml")}".*404.*\nlog: .*up\\.log$`, "m"),
    );

    const right = await machine.up("--gateway-api-crds", server.url("/crds.yaml"));
    assert.equal(right.code, 0, right.stderr);
    const steps = stepsOf(right.stdout);
    assert.ok(
      steps.includes("Install the Gateway API definitions from a URL: v1.4.1 (standard channel)"),
      right.stdout,
    );
    assert.ok(steps.includes('Use the kind cluster "gatehouse"'), "the cluster is gone on with");
  });

  // Before 24.5 Node does not take the proxy from the environment, and this would ask the network.
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const skip = major > 24 || (major === 24 && minor >= 5) ? false : "needs Node 24.5 or newer";
  test("are our own, with a note, when the official ones cannot be had", { skip }, async (t) => {
    const closed = "http://127.0.0.1:1";
    const machine = await startMachine(t, { environment: { HTTPS_PROXY: closed, https_proxy: closed, NO_PROXY: "" } });
    const up = await machine.up("--gateway-api-crds", "official");
    assert.equal(up.code, 0, up.stderr);
    assert.match(
      up.stdout,
      /^ ✓ Install the Gateway API definitions: v1\.4\.0 \(standard channel\): our own bundle, because unable to read URL "https:\/\/github\.com\/kubernetes-sigs\/gateway-api\/releases\/download\/v1\.4\.0\/standard-install\.yaml"/m,
    );
  });
});

async function seedPasses(machine: Machine): Promise<void> {
  const { environment, ports } = machine;
  const entry = { host: "127.0.0.1", port: ports[0] };
  await runSeedSuite({ context: "kind-gatehouse", entry, environment, flags: ["--cluster", "kind"] });
}

function bundle(version: string): string {
  const definitions = customResourceDefinitions({ version: "v1.4.0", channel: "standard" });
  return definitions
    .map((definition) => stringify(definition))
    .join("---\n")
    .replaceAll("bundle-version: v1.4.0", `bundle-version: ${version}`);
}

async function serve(files: Record<string, string>): Promise<{ url(path: string): string; close(): void }> {
  const server = createServer((request, response) => {
    const text = files[request.url ?? ""];
    response.writeHead(text === undefined ? 404 : 200).end(text ?? "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A test that fails must not be kept from saying so.
  server.unref();
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return { url: (path) => `http://127.0.0.1:${port}${path}`, close: () => server.close() };
}
