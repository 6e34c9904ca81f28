import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { parse } from "yaml";
import { builtInDefinitions } from "../kinds/built-in.ts";
import { deleteOptions } from "../kinds/types/meta.ts";
import { refusedWith } from "../testing.ts";
import { messageName } from "./decode-message.ts";
import { decodeProtobuf } from "./decode-protobuf.ts";
import * as fixtures from "./go-client.fixture.ts";
import { type Field, fieldsOf } from "./message-fields.ts";
import { envelope, message, type Part } from "./wire-writer.fixture.ts";
import { subresourceKinds } from "./subresource-kinds.ts";

const decode = (apiVersion: string, kind: string, ...fields: [number, Part][]): Record<string, unknown> =>
  decodeProtobuf(envelope(apiVersion, kind, message(...fields))) as Record<string, unknown>;

const bytesOf = ({ protobuf }: fixtures.EncodedObject): Buffer => Buffer.from(protobuf.join(""), "base64");

describe("protobuf bodies", () => {
  for (const [name, fixture] of Object.entries(fixtures)) {
    test(`of Go clients: ${name}`, () => {
      assert.deepEqual(decodeProtobuf(bytesOf(fixture)), parse(fixture.yaml));
    });
  }

  test("tell zero from absent as Go's pointers do", () => {
    const spec = (...fields: [number, Part][]): unknown => decode("apps/v1", "Deployment", [2, message(...fields)]);
    // replicas (1) is a pointer, minReadySeconds (5) and paused (7) are none.
    assert.deepEqual(spec([1, 0], [5, 0], [7, 0]), {
      apiVersion: "apps/v1",
      kind: "Deployment",
      spec: { replicas: 0 },
    });
    assert.deepEqual(spec([5, 2], [7, 1]), {
      apiVersion: "apps/v1",
      kind: "Deployment",
      spec: { minReadySeconds: 2, paused: true },
    });
    // selector (2) is a pointer, template (3) is required: both stay though empty. strategy (4) is a struct.
    assert.deepEqual(spec([2, ""], [3, ""], [4, message([1, ""])]), {
      apiVersion: "apps/v1",
      kind: "Deployment",
      spec: { selector: {}, template: {} },
    });
  });

  test("may say a field twice: the last one counts", () => {
    assert.deepEqual(decode("v1", "Secret", [3, "a"], [3, "b"])["type"], "b");
    assert.equal("type" in decode("v1", "Secret", [3, "a"], [3, ""]), false);
  });

  test("read packed numbers and fields that are not known", () => {
    const security = message([4, Buffer.from([1, 2, 0])], [4, 7], [99, "new"]);
    const pod = decode("v1", "Pod", [2, message([14, security])], [98, 5]);
    assert.deepEqual(pod["spec"], { securityContext: { supplementalGroups: [1, 2, 0, 7] }, containers: [] });
  });

  test("read DeleteOptions of any group version", () => {
    const fields: [number, Part][] = [
      [1, 0],
      [2, message([1, "u-1"])],
      [4, "Foreground"],
      [5, "All"],
    ];
    const expected = {
      gracePeriodSeconds: 0,
      preconditions: { uid: "u-1" },
      propagationPolicy: "Foreground",
      dryRun: ["All"],
    };
    for (const apiVersion of ["v1", "apps/v1", "meta.k8s.io/v1"]) {
      assert.deepEqual(decode(apiVersion, "DeleteOptions", ...fields), {
        apiVersion,
        kind: "DeleteOptions",
        ...expected,
      });
    }
  });

  test("read what is sent to subresources", () => {
    const metadata = message([1, "web"], [3, "demo"]);
    assert.deepEqual(decode("autoscaling/v1", "Scale", [1, metadata], [2, message([1, 3])])["spec"], { replicas: 3 });
    assert.deepEqual(decode("policy/v1", "Eviction", [1, metadata], [2, message([1, 5])])["deleteOptions"], {
      gracePeriodSeconds: 5,
    });
    assert.deepEqual(decode("v1", "Binding", [2, message([1, "Node"], [3, "node-1"])])["target"], {
      kind: "Node",
      name: "node-1",
    });
    const spec = message([1, "api"], [3, message([1, "Pod"], [3, "web"])], [4, 600]);
    assert.deepEqual(decode("authentication.k8s.io/v1", "TokenRequest", [2, spec])["spec"], {
      audiences: ["api"],
      boundObjectRef: { kind: "Pod", name: "web" },
      expirationSeconds: 600,
    });
  });
});

describe("refused protobuf bodies", () => {
  const refusals: [string, () => unknown, number, RegExp][] = [
    ["no magic", () => decodeProtobuf(Buffer.from("{}")), 400, /k8s\\0/],
    ["no kind", () => decodeProtobuf(Buffer.from("k8s\0")), 400, /names no kind/],
    ["an unknown kind", () => decode("example.com/v1", "Thing"), 415, /"Thing" of version "example.com\/v1"/],
    ["a kind of another group", () => decode("apps/v1", "Pod"), 415, /"Pod" of version "apps\/v1"/],
    ["a number for a text", () => decode("v1", "Secret", [3, 1]), 400, /type has wire type 0 instead of 2/],
    ["a text for a number", () => decode("v1", "Secret", [5, "x"]), 400, /immutable has wire type 2 instead of 0/],
    ["text that is not UTF-8", () => decode("v1", "Secret", [3, Buffer.from([0xff])]), 400, /UTF-8/],
    ["a time out of range", () => creationTime([1, 2 ** 40]), 400, /year 9999/],
    ["too many nanoseconds", () => creationTime([1, 1], [2, 1e9]), 400, /nanoseconds/],
    ["JSON that is none", () => decode("apps/v1", "ControllerRevision", [2, message([1, "{"])]), 400, /not valid JSON/],
    [
      "schemas without end",
      () => decode("apiextensions.k8s.io/v1", "CustomResourceDefinition", ...nestedSchemas()),
      400,
      /deeper than/,
    ],
  ];
  for (const [name, act, code, why] of refusals) {
    test(name, () => {
      assert.throws(act, (error) => refusedWith(code, why)(error) && !(error as Error).message.includes("\n"));
    });
  }

  const creationTime = (...fields: [number, number][]): unknown =>
    decode("v1", "ConfigMap", [1, message([8, message(...fields)])]);

  function nestedSchemas(): [number, Part][] {
    let schema: Buffer = Buffer.alloc(0);
    // `not` is field 28.
    for (let depth = 0; depth < 1000; depth++) schema = message([28, schema]);
    return [[2, message([7, message([4, message([1, schema])])])]];
  }

  /** Whatever `bytes` are, they are an object or refused. */
  function answered(bytes: Buffer): void {
    try {
      assert.equal(typeof decodeProtobuf(bytes), "object");
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
    }
  }

  test("every beginning of a body is refused or an object", () => {
    for (const fixture of Object.values(fixtures)) {
      const whole = bytesOf(fixture);
      for (let length = 0; length < whole.length; length++) answered(whole.subarray(0, length));
      // Cut inside of an envelope that is whole.
      assert.throws(() => decodeProtobuf(whole.subarray(0, whole.length - 5)), refusedWith(400, /ends in the middle/));
    }
  });

  test("noise is refused or an object", () => {
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    const samples = Object.values(fixtures).map(bytesOf);
    for (let round = 0; round < 3000; round++) {
      const bytes = Buffer.from(samples[round % samples.length] as Buffer);
      for (let flips = 1 + random(4); flips > 0; flips--) bytes[random(bytes.length)] = random(256);
      answered(bytes);
      answered(envelope("v1", "Pod", Buffer.from(Array.from({ length: random(40) }, () => random(256)))));
    }
  });
});

describe("the tables of field numbers", () => {
  const left = new Set([
    // Structural schemas may not have it.
    "apiextensions.v1.JSONSchemaProps.dependencies",
    // Claims in templates are no objects of their own in protobuf.
    "core.v1.PersistentVolumeClaim.apiVersion",
    "core.v1.PersistentVolumeClaim.kind",
    // These are on the envelope.
    "meta.v1.DeleteOptions.apiVersion",
    "meta.v1.DeleteOptions.kind",
  ]);

  function jsonNames(message: string): string[] {
    return [...fieldsOf(message).values()].flatMap((field: Field) =>
      field.embedded ? jsonNames(field.name) : field.name,
    );
  }

  test("have every field of every schema", () => {
    const missing: string[] = [];
    const seen = new Set<Schema>();
    const check = (schema: Schema | undefined, isRoot = false): void => {
      if (!schema || seen.has(schema)) return;
      seen.add(schema);
      const message = messageName(schema);
      const known = new Set([...jsonNames(message), ...(isRoot ? ["apiVersion", "kind"] : [])]);
      const properties = message.startsWith("apiextensions.v1.JSONSchemaPropsOr") ? {} : (schema.properties ?? {});
      for (const [name, property] of Object.entries(properties)) {
        if (!known.has(name) && !left.has(`${message}.${name}`)) missing.push(`${message}.${name}`);
        check(property);
      }
      check(schema.items);
      if (typeof schema.additionalProperties === "object") check(schema.additionalProperties);
    };
    for (const { schema } of builtInDefinitions()) check(schema, true);
    for (const schema of [...Object.values(subresourceKinds), deleteOptions]) check(schema, true);
    assert.deepEqual(missing, []);
  });
});
