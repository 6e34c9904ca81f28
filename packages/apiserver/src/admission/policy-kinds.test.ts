// ValidatingAdmissionPolicies as objects: what is refused, what is filled in, what the check of types says; and the official ones.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { startTestServer, type TestServer } from "../testing.ts";
import { binding, bindings, policies, policy, rule } from "./admission.fixture.ts";

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
after(() => cluster.close());

async function faults(written: Promise<unknown>): Promise<string[]> {
  try {
    await written;
    return [];
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return (error.status.details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
  }
}

test("defaults are Kubernetes'", async () => {
  const created = await client.create(policies, policy("defaults", { validations: [{ expression: "true" }] }));
  assert.deepEqual(created.spec, {
    failurePolicy: "Fail",
    matchConstraints: {
      matchPolicy: "Equivalent",
      namespaceSelector: {},
      objectSelector: {},
      resourceRules: [{ ...rule(["configmaps"]), scope: "*" }],
    },
    validations: [{ expression: "true" }],
  });
  assert.deepEqual(created.status, { observedGeneration: 1, typeChecking: {} });
});

describe("a policy is refused", () => {
  const cases: [name: string, spec: object, expected: string[]][] = [
    [
      "without anything to check",
      {},
      [
        "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
        "spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item",
      ],
    ],
    [
      "without rules",
      { matchConstraints: {}, validations: [{ expression: "true" }] },
      ["spec.matchConstraints.resourceRules: Required value"],
    ],
    [
      "for an expression that does not compile",
      { validations: [{ expression: "object.x ==" }] },
      [
        "spec.validations[0].expression: Invalid value: \"object.x ==\": compilation failed: ERROR: <input>:1:12: Syntax error: mismatched input '<EOF>'",
      ],
    ],
    [
      "for one of another type",
      { validations: [{ expression: "1 + 1" }, { expression: "object.spec" }] },
      [
        'spec.validations[0].expression: Invalid value: "1 + 1": must evaluate to bool but got int',
        'spec.validations[1].expression: Invalid value: "object.spec": must evaluate to bool but got dyn',
      ],
    ],
    [
      "for variables nobody knows",
      { validations: [{ expression: "params.x == 1" }, { expression: "variables.x == 1" }] },
      [
        "spec.validations[0].expression: Invalid value: \"params.x == 1\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'params'",
        "spec.validations[1].expression: Invalid value: \"variables.x == 1\": compilation failed: ERROR: <input>:1:10: undefined field 'x'",
      ],
    ],
    [
      "for the authorizer, by name",
      { validations: [{ expression: "authorizer.group('').resource('pods').check('get').allowed()" }] },
      [
        "spec.validations[0].expression: Invalid value: \"authorizer.group('').resource('pods').check('get').allowed()\": the variable authorizer is not served here",
      ],
    ],
    [
      "for words that cannot be shown and reasons there are not",
      {
        validations: [
          { expression: "true", message: " ", reason: "Because" },
          { expression: " ", message: "a\nb" },
        ],
      },
      [
        'spec.validations[0].message: Invalid value: " ": message must be non-empty if specified',
        'spec.validations[0].reason: Unsupported value: "Because": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"',
        "spec.validations[1].expression: Required value: expression is not specified",
        'spec.validations[1].message: Invalid value: "a\\nb": message must not contain line breaks',
      ],
    ],
    [
      "for names and messages of the wrong form",
      {
        variables: [{ name: "a-b", expression: "1" }],
        matchConditions: [{ name: "-", expression: "true" }],
        validations: [{ expression: "true", messageExpression: "1" }],
      },
      [
        'spec.matchConditions[0].name: Invalid value: "-": name part must consist',
        'spec.variables[0].name: Invalid value: "a-b": name is not a valid CEL identifier',
        'spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string but got int',
      ],
    ],
    [
      "for rules that make no sense",
      {
        matchConstraints: {
          resourceRules: [{ operations: ["*", "CREATE"], apiGroups: [], apiVersions: ["v1"], resources: ["pods"] }],
          excludeResourceRules: [rule(["pods"], { operations: ["READ"], resourceNames: ["a", "a"] })],
          objectSelector: { matchExpressions: [{ key: "a", operator: "Is" }] },
        },
        validations: [{ expression: "true" }],
      },
      [
        'spec.matchConstraints.objectSelector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
        'spec.matchConstraints.resourceRules[0].operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other values',
        "spec.matchConstraints.resourceRules[0].apiGroups: Required value",
        'spec.matchConstraints.excludeResourceRules[0].resourceNames[1]: Duplicate value: "a"',
        'spec.matchConstraints.excludeResourceRules[0].operations[0]: Unsupported value: "READ": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
      ],
    ],
  ];
  for (const [name, spec, expected] of cases) {
    test(name, async () => {
      const found = await faults(client.create(policies, policy("wrong.example.com", spec)));
      assert.deepEqual(
        found.map((fault, index) => (fault.startsWith(expected[index] ?? "?") ? expected[index] : fault)),
        expected,
      );
    });
  }
});

test("a binding is refused for what it leaves open", async () => {
  const wrong = binding("", { validationActions: ["Deny", "Warn", "Log"], paramRef: {} }, "wrong");
  assert.deepEqual(await faults(client.create(bindings, wrong)), [
    "spec.policyName: Required value",
    "spec.paramRef: Required value: one of name or selector must be specified",
    "spec.paramRef.parameterNotFoundAction: Required value",
    'spec.validationActions[2]: Unsupported value: "Log": supported values: "Audit", "Deny", "Warn"',
    'spec.validationActions: Invalid value: ["Deny","Warn","Log"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
  ]);
  assert.deepEqual(await faults(client.create(bindings, binding("p", { validationActions: [] }))), [
    "spec.validationActions: Required value: at least one validation action is required",
  ]);
});

test("what has no effect here is said", async () => {
  const warnings: string[] = [];
  const options = { onWarning: (text: string): number => warnings.push(text) };
  const constraints = { resourceRules: [rule(["pods/exec"], { operations: ["CONNECT"] })] };
  const spec = { matchConstraints: constraints, validations: [{ expression: "true" }] };
  await client.create(policies, policy("connect", spec), options);
  await client.create(bindings, binding("connect", { validationActions: ["Audit"] }), options);
  assert.deepEqual(warnings, [
    "spec.matchConstraints.resourceRules: CONNECT requests (exec, attach, port-forward, proxy) are not judged by policies here",
    "spec.validationActions: Audit has no effect: no audit log is kept here",
  ]);
});

test("the check of types warns in the status, and refuses nothing", async () => {
  const deployments = rule(["deployments"], { apiGroups: ["apps"] });
  const spec = {
    matchConstraints: { resourceRules: [deployments, rule(["services"])] },
    validations: [{ expression: "object.spec.replicas > 1" }, { expression: "has(object.metadata.labels.app)" }],
  };
  const { status } = await client.create(policies, policy("types", spec));
  const { expressionWarnings } = (status as { typeChecking: { expressionWarnings: object[] } }).typeChecking;
  assert.deepEqual(expressionWarnings, [
    {
      fieldRef: "spec.validations[0].expression",
      warning:
        "v1, Kind=Service: ERROR: <input>:1:12: undefined field 'replicas'\n | object.spec.replicas > 1\n | ...........^\n",
    },
  ]);
});
