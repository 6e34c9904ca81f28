import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { createImageCatalog } from "./catalog.ts";
import { imageRepository } from "./image-reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

test("references are reduced to full repository names", () => {
  const cases: [string, string | undefined][] = [
    ["traefik", "docker.io/library/traefik"],
    ["traefik:v3.6", "docker.io/library/traefik"],
    ["library/traefik", "docker.io/library/traefik"],
    ["docker.io/traefik", "docker.io/library/traefik"],
    ["index.docker.io/traefik/whoami", "docker.io/traefik/whoami"],
    ["traefik/whoami:v1.11@" + digest, "docker.io/traefik/whoami"],
    ["localhost/x", "localhost/x"],
    ["localhost:5000/x/y:1", "localhost:5000/x/y"],
    ["registry.k8s.io/gateway-api/echo-basic:v1.5.1", "registry.k8s.io/gateway-api/echo-basic"],
    ["a__b/c--d", "docker.io/a__b/c--d"],
    ["", undefined],
    ["Traefik/Whoami", undefined],
    ["traefik/Whoami", undefined],
    ["traefik/whoami:", undefined],
    ["traefik/whoami:-x", undefined],
    ["traefik/whoami@sha256:short", undefined],
    ["traefik//whoami", undefined],
    ["https://traefik/whoami", undefined],
    ["traefik whoami", undefined],
  ];
  for (const [reference, expected] of cases) assert.equal(imageRepository(reference), expected, reference);
});

test("built-in images are found under any tag, and start scripts that exist", () => {
  const catalog = createImageCatalog();
  for (const reference of [
    "traefik/whoami",
    "docker.io/traefik/whoami:v1.10.1",
    "gcr.io/k8s-staging-gateway-api/echo-advanced:v20240412-v1.0.0-394-g40c666fd",
    `registry.k8s.io/gateway-api/echo-basic@${digest}`,
    "registry.k8s.io/gateway-api/echo-basic:v1.6.0-dev.3",
    "registry.k8s.io/gateway-api/echo-advanced:v1.5.1",
    "registry.k8s.io/coredns/coredns:v1.12.2",
    "busybox:1.36",
    "registry.k8s.io/pause:3.10",
  ]) {
    const image = catalog.resolve(reference);
    assert.ok(image, reference);
    assert.ok(existsSync(image.entry[1] ?? ""), reference);
  }
});

test("nothing else is found, however similar", () => {
  const catalog = createImageCatalog();
  for (const reference of ["whoami", "nginx", "evil.io/traefik/whoami", "traefik/whoami/x", "traefik/whoami:!"]) {
    assert.equal(catalog.resolve(reference), undefined, reference);
  }
});

test("extra images are added, and win over built-in ones", () => {
  const extra = { name: "mine", repositories: ["traefik", "traefik/whoami"], entry: ["node", "mine.js"] };
  const catalog = createImageCatalog([extra]);
  assert.equal(catalog.resolve("traefik:v3.6.0")?.name, "mine");
  assert.equal(catalog.resolve("traefik/whoami")?.name, "mine");
  assert.ok(catalog.names.includes("traefik"));
  assert.throws(() => createImageCatalog([{ ...extra, repositories: ["No!"] }]), /"No!" is not an image name/);
});
