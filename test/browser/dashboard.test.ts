// The dashboard in a real browser, reached through the Gateway like any application.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { findProgram, gatehouseProgram, run, startTestCluster, type TestCluster } from "../system/test-cluster.ts";

const executablePath =
  process.env.CHROMIUM ?? findProgram("chromium") ?? findProgram("chromium-browser") ?? findProgram("google-chrome");

describe(
  "the dashboard",
  { skip: executablePath ? false : "Chromium is not in PATH (CHROMIUM names another place)" },
  () => {
    let cluster: TestCluster;
    let browser: Browser;
    let page: Page;
    const problems: string[] = [];

    async function apply(object: object): Promise<void> {
      const applied = await run(gatehouseProgram, ["apply", "-f", "-"], cluster.environment, JSON.stringify(object));
      assert.equal(applied.code, 0, applied.stderr);
    }

    before(async () => {
      cluster = await startTestCluster();
      browser = await chromium.launch({
        ...(executablePath ? { executablePath } : {}),
        args: [
          "--no-sandbox",
          "--disable-gpu",
          "--disable-quic",
          "--no-first-run",
          "--disable-background-networking",
          "--disable-component-update",
          "--disable-sync",
          "--host-resolver-rules=MAP *.localhost 127.0.0.1",
        ],
      });
      page = await browser.newPage();
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
      page.on("pageerror", (error) => problems.push(error.message));
      await page.goto(`http://traefik.localhost:${cluster.entry.port}/dashboard/`);
    });
    after(async () => {
      await browser?.close();
      await cluster?.remove();
    });

    test("shows entrypoints, routers with rule and status, and services with their servers", async () => {
      await page.getByText("Host(`whoami.localhost`)").first().waitFor();
      const text = await page.locator("body").innerText();
      for (const expected of [
        "web",
        ":8000",
        "whoami-host",
        "whoami-path",
        "traefik-dashboard",
        "PathPrefix(`/v1/`)",
      ]) {
        assert.ok(text.includes(expected), `${expected} in:\n${text}`);
      }
      assert.equal((text.match(/http:\/\/127\.\d+\.\d+\.\d+:80\b/g) ?? []).length >= 4, true, text);
    });

    test("is live: a route that appears is shown without a reload", async () => {
      const route = {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "late", namespace: "demo" },
        spec: {
          parentRefs: [{ name: "traefik-gateway", namespace: "traefik" }],
          hostnames: ["late.localhost"],
          rules: [{ backendRefs: [{ name: "whoami-v1", port: 80 }] }],
        },
      };
      await apply(route);
      await page.getByText("Host(`late.localhost`)").first().waitFor({ timeout: 10_000 });
    });

    test("shows routers and servers of TCPRoutes among the others", async () => {
      const crds = ["crds", "--channel", "experimental", "tcproute", "-o", "json"];
      await apply(JSON.parse((await run(gatehouseProgram, crds, cluster.environment)).stdout) as object);
      const parent = { name: "streams", namespace: "demo" };
      await apply({
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "Gateway",
        metadata: parent,
        spec: { gatewayClassName: "traefik", listeners: [{ name: "tcp", protocol: "TCP", port: 5432 }] },
      });
      await apply({
        apiVersion: "gateway.networking.k8s.io/v1alpha2",
        kind: "TCPRoute",
        metadata: { name: "database", namespace: "demo" },
        spec: { parentRefs: [parent], rules: [{ backendRefs: [{ name: "whoami-v1", port: 80 }] }] },
      });
      await page.getByText("HostSNI(`*`)").first().waitFor({ timeout: 10_000 });
      const row = await page.getByRole("row").filter({ hasText: "demo/database" }).innerText();
      assert.match(row, /Accepted/);
      assert.match(row, /TCPRoute, rule 0, Gateway demo\/streams/);
      const service = page.getByRole("row").filter({ hasText: "demo-whoami-v1-80-tcp@kubernetesgateway" }).last();
      assert.match(await service.innerText(), /Up\s+127\.\d+\.\d+\.\d+:80\b/);
    });

    test("no script fails and nothing is refused by the page's own policy", () => {
      assert.deepEqual(problems, []);
    });
  },
);
