// The page is served with a policy that forbids inline code. Browsers would refuse what breaks it only at run time.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const directory = join(import.meta.dirname, "page");
const html = readFileSync(join(directory, "index.html"), "utf8");

test("the page has no inline script, style or handler", () => {
  assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)/i);
  assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|javascript:/i);
});

test("the page refers to its own files by relative names that are there or are built", () => {
  const references = [...html.matchAll(/<(?:script|link)[^>]*\s(?:src|href)="([^"]+)"/g)].map(([, name = ""]) => name);
  assert.deepEqual(references.sort(), ["app.js", "icon.svg", "style.css"]);
  const files = readdirSync(directory);
  for (const name of references) assert.ok(files.includes(name.replace(/\.js$/, ".ts")), name);
});

test("no script turns text into markup", () => {
  for (const name of readdirSync(directory).filter((file) => file.endsWith(".ts"))) {
    const source = readFileSync(join(directory, name), "utf8");
    assert.doesNotMatch(source, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/, name);
  }
});
