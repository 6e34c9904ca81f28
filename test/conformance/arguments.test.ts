import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments, UsageError } from "./arguments.ts";

const parse = (line: string) => parseArguments(line.split(" "), "/docs");

test("a whole run has every profile of its version and writes where reports are kept", () => {
  assert.deepEqual(parse("--version v1.4.0"), {
    version: "v1.4.0",
    profiles: ["GATEWAY-HTTP", "GATEWAY-TLS", "GATEWAY-GRPC"],
    tests: [],
    output: "/docs",
  });
  assert.equal(parse("--version v1.6.1").profiles.length, 5);
  assert.equal(parse("--version v1.6.1 --output out").output, "out");
});

test("a part writes nothing unless told where; names may follow each other", () => {
  const part = parse("--version v1.6.1 --profile GATEWAY-TCP GATEWAY-UDP --profile=GATEWAY-TLS");
  assert.deepEqual(part.profiles, ["GATEWAY-TCP", "GATEWAY-UDP", "GATEWAY-TLS"]);
  assert.equal(part.output, undefined);
  assert.equal(parse("--version v1.6.1 --output out --profile GATEWAY-TCP").output, "out");
  assert.deepEqual(parse("--version v1.4.0 --test A B --test C").tests, ["A", "B", "C"]);
});

test("what cannot be run is refused with what could", () => {
  const cases: [string, RegExp][] = [
    ["--profile GATEWAY-HTTP", /--version must be v1\.4\.0 or v1\.6\.1$/],
    ["--version v1.5.0", /--version must be v1\.4\.0 or v1\.6\.1, not v1\.5\.0/],
    ["--version v1.4.0 --profile GATEWAY-TCP", /GATEWAY-TCP: v1\.4\.0 has GATEWAY-HTTP, GATEWAY-TLS, GATEWAY-GRPC/],
    ["--version v1.4.0 --test A --profile GATEWAY-TLS", /leave one of them out/],
    ["--version v1.4.0 --test A --output out", /leave out --output/],
    ["--version v1.4.0 --all", /Unknown option '--all'/],
    ["--version v1.4.0 A", /Unexpected argument 'A'/],
  ];
  for (const [line, message] of cases) {
    const refused = (error: Error): boolean => error instanceof UsageError && message.test(error.message);
    assert.throws(() => parse(line), refused, line);
  }
});
