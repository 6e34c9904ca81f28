import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatusError } from "./status-error.ts";
import {
  alreadyExists,
  badRequest,
  conflict,
  expired,
  forbidden,
  hasReason,
  invalid,
  notFound,
  unauthorized,
} from "./status-error.ts";

const route = { group: "gateway.networking.k8s.io", plural: "httproutes", name: "whoami-host" };

const table: [error: StatusError, code: number, reason: string, message: string][] = [
  [notFound(route), 404, "NotFound", 'httproutes.gateway.networking.k8s.io "whoami-host" not found'],
  [notFound({ group: "", plural: "pods", name: "a" }), 404, "NotFound", 'pods "a" not found'],
  [alreadyExists(route), 409, "AlreadyExists", 'httproutes.gateway.networking.k8s.io "whoami-host" already exists'],
  [
    conflict({ group: "", plural: "pods", name: "a" }, "it changed"),
    409,
    "Conflict",
    'Operation cannot be fulfilled on pods "a": it changed',
  ],
  [badRequest("no"), 400, "BadRequest", "no"],
  [forbidden("no"), 403, "Forbidden", "no"],
  [unauthorized(), 401, "Unauthorized", "Unauthorized"],
  [expired("too old"), 410, "Expired", "too old"],
];

for (const [error, code, reason, message] of table) {
  test(`${reason}: ${message}`, () => {
    assert.deepEqual([error.code, error.reason, error.message], [code, reason, message]);
    const { apiVersion, kind, status } = error.status;
    assert.deepEqual({ apiVersion, kind, status }, { apiVersion: "v1", kind: "Status", status: "Failure" });
    assert.ok(hasReason(error, reason));
    assert.ok(!hasReason(error, "Other"));
  });
}

test("details name the resource in the plural, without an empty group", () => {
  assert.deepEqual(notFound(route).status.details, {
    name: "whoami-host",
    group: "gateway.networking.k8s.io",
    kind: "httproutes",
  });
  assert.deepEqual(notFound({ group: "", plural: "pods", name: "a" }).status.details, { name: "a", kind: "pods" });
});

test("Invalid lists one cause bare, several in brackets, and a cause without a field by its message", () => {
  const required = { reason: "FieldValueRequired", field: "spec.a", message: "Required value" };
  const subject = { group: "apps", kind: "Deployment", name: "x" };
  assert.equal(invalid(subject, [required]).message, 'Deployment.apps "x" is invalid: spec.a: Required value');
  assert.equal(
    invalid({ ...subject, group: "" }, [required, { reason: "FieldValueInvalid", message: "bad" }]).message,
    'Deployment "x" is invalid: [spec.a: Required value, bad]',
  );
  assert.deepEqual(invalid(subject, [required]).status.details?.causes, [required]);
});

test("hasReason is false for other errors", () => {
  assert.equal(hasReason(new Error("NotFound"), "NotFound"), false);
  assert.equal(hasReason(undefined, "NotFound"), false);
});
