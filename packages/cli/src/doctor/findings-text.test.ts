import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "./finding.ts";
import { findingsText } from "./findings-text.ts";
import { preflightResult } from "./preflight.ts";

const findings: Finding[] = [
  {
    id: "node-version",
    title: "Node.js",
    level: "ok",
    message: "version 24",
    neededFor: ["embedded", "kind", "context"],
  },
  {
    id: "docker-daemon",
    title: "Docker",
    level: "problem",
    message: "is down",
    remedy: "sudo systemctl start docker\nhttps://docs.example",
    neededFor: ["kind"],
  },
  {
    id: "kind-version",
    title: "kind",
    level: "problem",
    message: "not found in PATH",
    remedy: "install kind",
    neededFor: ["kind"],
  },
  {
    id: "port-80",
    title: "port 80",
    level: "warning",
    message: "held by nginx",
    remedy: "stop nginx",
    neededFor: ["embedded", "kind"],
  },
  {
    id: "proxy",
    title: "proxy",
    level: "warning",
    message: "NO_PROXY",
    remedy: "export",
    neededFor: ["embedded", "kind", "context"],
  },
  { id: "inotify-watches", title: "inotify watches", level: "skipped", message: "only Linux", neededFor: ["kind"] },
];

test("an overview says for whom each fault matters, and has a verdict per provider", () => {
  assert.equal(
    findingsText(findings, { colour: false }),
    ` ✓ Node.js: version 24
 ! Docker: is down [kind]
     sudo systemctl start docker
     https://docs.example
 ! kind: not found in PATH [kind]
     install kind
 ! port 80: held by nginx [embedded, kind]
     stop nginx
 ! proxy: NO_PROXY
     export
 - inotify watches: only Linux [kind]

embedded: nothing stands in the way, 2 warnings
kind: 2 problems in the way (Docker, kind), 2 warnings
context: nothing stands in the way, 1 warning
`,
  );
});

test("for one provider: a cross for what stands in its way, and its verdict alone", () => {
  const text = findingsText(findings, { provider: "kind", colour: false });
  assert.match(text, /^ ✗ Docker: is down$/m);
  assert.match(text, /\n\nkind: 2 problems in the way \(Docker, kind\), 2 warnings\n$/);
  assert.doesNotMatch(text, /\[/);
});

test("colour only when asked for", () => {
  assert.ok(findingsText(findings, { provider: "kind", colour: true }).includes(" \u001b[31m✗\u001b[0m Docker"));
  assert.ok(!findingsText(findings, { colour: false }).includes("\u001b"));
});

test("preflight lists every problem with its remedy and refuses", () => {
  assert.throws(() => preflightResult(findings, "kind"), {
    name: "UserError",
    exitCode: 1,
    message: `this machine is not ready (gatehouse doctor --cluster kind shows everything):
  ✗ Docker: is down
      sudo systemctl start docker
      https://docs.example
  ✗ kind: not found in PATH
      install kind`,
  });
});

test("preflight without a problem gives the warnings as notes, but for ports: who takes another says so", () => {
  assert.deepEqual(preflightResult(findings, "embedded"), { notes: ["proxy: NO_PROXY\n     export"] });
  assert.deepEqual(preflightResult(findings.slice(0, 1), "kind"), { notes: [] });
});
