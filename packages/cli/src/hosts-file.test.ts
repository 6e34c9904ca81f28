import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { editHostsFile, hasHostnames, withHostsBlock, withoutHostsBlock } from "./hosts-file.ts";

const others = "127.0.0.1 localhost\n# mine\n10.0.0.7 db\n";

test("a block is added behind what is there, and taken out to the letter", () => {
  const written = withHostsBlock(others, "gatehouse", ["a.localhost", "b.localhost"]);
  assert.match(written, /^127\.0\.0\.1 localhost\n# mine\n10\.0\.0\.7 db\n# BEGIN gatehouse /);
  assert.match(written, /\n127\.0\.0\.1 a\.localhost b\.localhost\n# END gatehouse\n$/);
  assert.equal(withoutHostsBlock(written, "gatehouse"), others);
});

test("writing again replaces the block", () => {
  const once = withHostsBlock(others, "gatehouse", ["a.localhost"]);
  const twice = withHostsBlock(once, "gatehouse", ["b.localhost"]);
  assert.equal(twice, withHostsBlock(others, "gatehouse", ["b.localhost"]));
});

test("another cluster's block stays, even when its name begins like ours", () => {
  const second = withHostsBlock(others, "gatehouse-two", ["a.localhost"]);
  const both = withHostsBlock(second, "gatehouse", ["a.localhost"]);
  assert.equal(withoutHostsBlock(both, "gatehouse"), second);
});

test("a file without a final newline or without our block is not damaged", () => {
  assert.equal(withoutHostsBlock("127.0.0.1 localhost", "gatehouse"), "127.0.0.1 localhost");
  assert.match(withHostsBlock("127.0.0.1 localhost", "gatehouse", ["a.localhost"]), /^127\.0\.0\.1 localhost\n# BEGIN/);
  const cut = "x\n# BEGIN gatehouse (written by gatehouse up, removed by gatehouse down)\nno end";
  assert.equal(withoutHostsBlock(cut, "gatehouse"), cut);
});

test("hostnames count as there only when mapped to loopback and not commented out", () => {
  assert.equal(hasHostnames("127.0.0.1 a b # c\n::1 d", ["a", "b", "d"]), true);
  assert.equal(hasHostnames("127.0.0.1 a b # c", ["a", "c"]), false);
  assert.equal(hasHostnames("10.0.0.1 a", ["a"]), false);
});

test("the file is edited in place, and one that cannot be written names the remedy", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "hosts-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "hosts");
  writeFileSync(path, others);
  editHostsFile(path, (text) => withHostsBlock(text, "gatehouse", ["a.localhost"]));
  assert.match(readFileSync(path, "utf8"), /a\.localhost/);
  assert.throws(() => editHostsFile(join(directory, "absent"), (text) => `${text}x`), /ENOENT/);
});
