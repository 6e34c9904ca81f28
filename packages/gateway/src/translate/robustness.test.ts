// The translation never throws: mutilated objects (as an API server without validation would let through) become
// conditions or nothing. Mutations are drawn from a seeded sequence, so that a failure can be repeated.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { parseAddressPool } from "../gateway-addresses.ts";
import { apiOf, pickObjects } from "../testing/fixtures.ts";
import { createRandom, type Random } from "../testing/random.ts";
import { withStatus } from "./statuses.ts";
import { translate } from "./translate.ts";
import type { TranslateOptions } from "./translate-options.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const directory = join(import.meta.dirname, "testdata");
const options: TranslateOptions = {
  api: apiOf({ version: "v1.6.1", channel: "experimental" }),
  entryPoints: [{ name: "web", port: 8000, addresses: [] }],
  reservedPorts: new Map(),
  pool: parseAddressPool("127.30.224.0/24"),
  sharedAddresses: [],
  listenerProblems: new Map(),
};

/** Strings for fields that are strings, from empty to hostile; lists and optional members lose their content. */
const strings = [
  "",
  "*",
  "*.",
  "__proto__",
  "constructor",
  "/",
  "a/b",
  "\u0000",
  "💥",
  "x".repeat(300),
  "(",
  "-1",
  "9999999h",
];
const numbers = [0, -1, 65_536, 1.5, 2 ** 53];

/** Changes about one value in twelve; never what identifies an object or says what it must have. */
function mutate(value: Json, random: Random, key = ""): Json {
  if (["kind", "apiVersion", "metadata", "gatewayClassName", "controllerName", "from", "to"].includes(key))
    return value;
  const hit = random.once(12);
  if (typeof value === "string") return hit ? random.pick(strings) : value;
  if (typeof value === "number") return hit ? random.pick(numbers) : value;
  if (Array.isArray(value)) return hit ? [] : value.map((item) => mutate(item, random));
  if (typeof value !== "object" || value === null) return value;
  const optional = new Set([
    "hostnames",
    "matches",
    "filters",
    "backendRefs",
    "rules",
    "parentRefs",
    "tls",
    "allowedRoutes",
    "ports",
    "conditions",
    "path",
    "selector",
    "requestRedirect",
    "urlRewrite",
  ]);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !(optional.has(name) && random.once(12)))
      .map(([name, child]) => [name, mutate(child, random, name)]),
  );
}

for (const file of readdirSync(directory).filter((name) => name.endsWith(".in.yaml"))) {
  test(file, () => {
    const documents = parseAllDocuments(readFileSync(join(directory, file), "utf8")).map(
      (each) => each.toJSON() as Json,
    );
    for (let seed = 1; seed <= 40; seed++) {
      const random = createRandom(seed);
      const all = documents.map((document) => mutate(document, random)) as { kind: string }[];
      const objects = pickObjects(all);
      const { table, statuses } = translate(objects, options);
      for (const update of statuses) withStatus(update, update.object, "2026-01-01T00:00:00Z");
      const ids = new Set(table.services.map(({ id }) => id));
      assert.equal(ids.size, table.services.length, `seed ${seed}: each service is there once`);
      for (const { virtualHosts } of table.listeners.flatMap(({ servers }) => servers)) {
        for (const { action } of virtualHosts.flatMap(({ routes }) => routes)) {
          const used = action.type === "forward" ? action.backends.flatMap(({ service }) => service ?? []) : [];
          for (const id of used) assert.ok(ids.has(id), `seed ${seed}: service ${id} is in the table`);
        }
      }
    }
  });
}
