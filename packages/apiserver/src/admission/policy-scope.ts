// The variables that expressions of admission policies see, and their types (apiserver admission/plugin/cel).

import { dyn, listOf, mapOf, simpleType, type Type } from "../cel/types.ts";

const text = simpleType("string");
const texts = listOf(text);

function record(fields: Record<string, Type>): Type {
  return { kind: "object", field: (name) => (Object.hasOwn(fields, name) ? fields[name] : undefined) };
}

const kindType = record({ group: text, version: text, kind: text });
const resourceType = record({ group: text, version: text, resource: text });

const requestType = record({
  kind: kindType,
  resource: resourceType,
  subResource: text,
  requestKind: kindType,
  requestResource: resourceType,
  requestSubResource: text,
  name: text,
  namespace: text,
  operation: text,
  userInfo: record({ username: text, uid: text, groups: texts, extra: mapOf(text, texts) }),
  dryRun: simpleType("bool"),
  options: dyn,
});

const namespaceType = record({
  metadata: record({
    name: text,
    generateName: text,
    namespace: text,
    labels: mapOf(text, text),
    annotations: mapOf(text, text),
    UID: text,
    creationTimestamp: simpleType("timestamp"),
    deletionGracePeriodSeconds: simpleType("int"),
    deletionTimestamp: simpleType("timestamp"),
    generation: simpleType("int"),
    resourceVersion: text,
    finalizers: texts,
  }),
  spec: record({ finalizers: texts }),
  status: record({ conditions: listOf(dyn), phase: text }),
});

/** What differs between policies: whether they have parameters, and for the check of types what objects are. */
export interface ScopeOptions {
  hasParams: boolean;
  /** Default: anything. */
  object?: Type;
  params?: Type;
}

/** Names and types, in the order in which `evaluate` takes the values. `variables` are the policy's own, by name. */
export function policyScope(options: ScopeOptions, variables: ReadonlyMap<string, Type>): Map<string, Type> {
  const { hasParams, object = dyn, params = dyn } = options;
  return new Map([
    ["object", object],
    ["oldObject", object],
    ["request", requestType],
    ["namespaceObject", namespaceType],
    ["variables", { kind: "object", field: (name) => variables.get(name) }],
    ...(hasParams ? ([["params", params]] as const) : []),
  ]);
}
