import assert from "node:assert/strict";
import { test } from "node:test";
import { amountAsText, emptyIsAbsent, zeroIsAbsent } from "./normalize.ts";

test("amounts become the text Kubernetes gives them", () => {
  const cases: [unknown, unknown][] = [
    [0, "0"],
    [1, "1"],
    [0.5, "500m"],
    [0.1, "100m"],
    [1.25, "1250m"],
    [-2, "-2"],
    [0.000001, "1u"],
    [1e-10, "1n"],
    [134217728, "134217728"],
    ["128Mi", "128Mi"],
    [true, true],
  ];
  for (const [given, meant] of cases) assert.equal(amountAsText(given), meant, String(given));
});

test("only the zero value is absent", () => {
  assert.deepEqual(["", " ", 0, null].map(emptyIsAbsent), [undefined, " ", 0, null]);
  assert.deepEqual([0, 1, "", null].map(zeroIsAbsent), [undefined, 1, "", null]);
});
