import assert from "node:assert/strict";
import { test } from "node:test";
import { type Options, parseOptions } from "./options.ts";

const parsed = (...args: string[]): Options => {
  const options = parseOptions(args);
  if (options === undefined || typeof options === "string") assert.fail(options ?? "help");
  return options;
};

test("without options everything is measured, in a cluster of its own", () => {
  assert.deepEqual(parsed(), {
    scenarios: ["attached", "probe", "scale", "flips"],
    gatewayClass: "traefik",
    port: 8000,
    routes: 10_000,
    seconds: 20,
    json: false,
  });
});

test("a cluster of a context, and where its gateway is", () => {
  const { context, entry, gatewayClass, port, pid } = parsed(
    ..."--context mine --entry [::1]:8080 --class other --port 80 --pid 7".split(" "),
  );
  assert.deepEqual([context, entry, gatewayClass, port, pid], ["mine", { host: "::1", port: 8080 }, "other", 80, 7]);
});

test("scenarios run in their own order", () => {
  assert.deepEqual(parsed("--scenarios", "flips,attached").scenarios, ["attached", "flips"]);
});

test("help is neither options nor a mistake", () => assert.equal(parseOptions(["--help"]), undefined));

const mistakes: [args: string[], message: RegExp][] = [
  [["--scenarios", "sideways"], /^there is no scenario "sideways": there are attached, /],
  [["--routes", "many"], /^--routes: "many" is not a whole number above 0/],
  [["--seconds", "0"], /^--seconds: "0" is not/],
  [["-o", "yaml"], /^--output: "yaml" is neither text nor json/],
  [["--context", "mine", "--entry", "localhost"], /^--entry: "localhost" is not HOST:PORT/],
  [["--entry", "localhost:80"], /^--entry is about a cluster of --context/],
  [["--pid", "1"], /^--pid is about a cluster of --context/],
  [["--rows", "x"], /--rows/],
];
for (const [args, message] of mistakes) {
  test(`refused: ${args.join(" ")}`, () => assert.match(String(parseOptions(args)), message));
}
