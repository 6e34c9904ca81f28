import assert from "node:assert/strict";
import { test } from "node:test";
import { type Availability, type Bundle, everywhere, experimental, graduated, isAvailable, nowhere } from "./bundle.ts";

const bundles: Bundle[] = [
  { version: "v1.4.0", channel: "standard" },
  { version: "v1.4.0", channel: "experimental" },
  { version: "v1.6.1", channel: "standard" },
  { version: "v1.6.1", channel: "experimental" },
];

const cases: [name: string, availability: Availability, where: [boolean, boolean, boolean, boolean]][] = [
  ["everywhere", everywhere, [true, true, true, true]],
  ["nowhere", nowhere, [false, false, false, false]],
  ["a channel", [experimental], [false, true, false, true]],
  ["since a release", [{ since: "v1.6.1" }], [false, false, true, true]],
  ["since the first release", [{ since: "v1.4.0" }], [true, true, true, true]],
  ["until a release, exclusively", [{ until: "v1.6.1" }], [true, true, false, false]],
  ["members of a clause all hold", [{ ...experimental, until: "v1.6.1" }], [false, true, false, false]],
  ["one of several clauses holds", graduated, [false, true, true, true]],
];

for (const [name, availability, where] of cases) {
  test(`availability: ${name}`, () => {
    assert.deepEqual(
      bundles.map((bundle) => isAvailable(availability, bundle)),
      where,
    );
  });
}
