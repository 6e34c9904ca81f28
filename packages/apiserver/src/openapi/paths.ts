// The operations of an OpenAPI document. kubectl reads from them which kinds take `fieldValidation` on a PATCH.

import { resourcePath } from "@gatehouse/apimachinery/resource-type";
import { servedVerbs } from "../discovery.ts";
import type { ResourceDefinition, Verb } from "../resource-definition.ts";

type Tree = Record<string, unknown>;

interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

/** References to the schemas that operations take and give, and how objects may be patched. */
export interface OperationSchemas {
  object: Tree;
  list: Tree;
  scale: Tree;
  deleteOptions: Tree;
  /** Media types; kubectl takes strategic merge for every kind that names it. */
  patchTypes: readonly string[];
}

const query = (name: string, description: string, type = "string"): Tree => ({
  name,
  in: "query",
  description,
  schema: { type, uniqueItems: true },
});

const pathParameter = (name: string, description: string): Tree => ({
  name,
  in: "path",
  description,
  required: true,
  schema: { type: "string", uniqueItems: true },
});

const dryRun = query("dryRun", "`All`: do everything but store the result.");
const fieldManager = query("fieldManager", "Who makes the change.");
const fieldValidation = query(
  "fieldValidation",
  "What to do about unknown and repeated fields: Ignore, Warn or Strict.",
);
const writeParameters = [dryRun, fieldManager, fieldValidation];
const patchParameters = [...writeParameters, query("force", "True: an apply takes over fields of others.", "boolean")];
const deleteParameters = [
  dryRun,
  query("gracePeriodSeconds", "Seconds to wait; zero deletes at once.", "integer"),
  query("propagationPolicy", "What happens to dependents: Orphan, Background or Foreground."),
];
const listParameters = [
  query("allowWatchBookmarks", "True: watches get bookmarks.", "boolean"),
  query("continue", "Where the last page ended."),
  query("fieldSelector", "Only objects whose fields match."),
  query("labelSelector", "Only objects whose labels match."),
  query("limit", "Most objects of a page.", "integer"),
  query("resourceVersion", "The state to read, or to watch from."),
  query("resourceVersionMatch", "How exactly: NotOlderThan or Exact."),
  query("sendInitialEvents", "True: a watch begins with the present objects.", "boolean"),
  query("timeoutSeconds", "Seconds until the answer ends.", "integer"),
  query("watch", "True: follow changes.", "boolean"),
];

const jsonOf = (schema: Tree): Tree => ({ "application/json": { schema } });
const answer = (schema: Tree): Tree => ({ "200": { description: "OK", content: jsonOf(schema) } });
const anyObject: Tree = { type: "object" };

const actions: Record<Verb, string> = {
  get: "get",
  list: "list",
  watch: "watch",
  create: "post",
  update: "put",
  patch: "patch",
  delete: "delete",
  deletecollection: "deletecollection",
};

/** The paths of one resource and its status and scale subresources. */
export function resourcePaths(definition: ResourceDefinition, schemas: OperationSchemas): Record<string, Tree> {
  const { type, subresources } = definition;
  const verbs = new Set<Verb>(servedVerbs(definition));
  const collection = literal(resourcePath(type, "{namespace}"));
  const object = `${collection}/{name}`;
  const own = maker(type, schemas);
  const shared = type.namespaced ? [pathParameter("namespace", "The namespace.")] : [];
  const named = [...shared, pathParameter("name", `Name of the ${type.kind}.`)];
  const only = (...wanted: Verb[]): Tree =>
    Object.assign({}, ...wanted.filter((verb) => verbs.has(verb)).map((verb) => own(verb, schemas.object))) as Tree;
  const paths: Record<string, Tree> = {};
  const add = (path: string, operations: Tree, parameters: Tree[]): void => {
    if (Object.keys(operations).length > 0) paths[path] = { ...operations, parameters };
  };
  if (type.namespaced) add(resourcePath(type), only("list"), []);
  add(collection, only("list", "create", "deletecollection"), shared);
  add(object, only("get", "update", "patch", "delete"), named);
  if (subresources.status) add(`${object}/status`, only("get", "update", "patch"), named);
  if (subresources.scale) {
    const scale = maker({ group: "autoscaling", version: "v1", kind: "Scale" }, schemas);
    const operations = (["get", "update", "patch"] as const).map((verb) => scale(verb, schemas.scale));
    add(`${object}/scale`, Object.assign({}, ...operations) as Tree, named);
  }
  return paths;
}

/** resourcePath encodes the braces of a path template. */
const literal = (path: string): string => path.replace("%7Bnamespace%7D", "{namespace}");

/** Makes `{ <method>: <operation> }` for a verb on objects of a kind. */
function maker(gvk: GroupVersionKind, schemas: OperationSchemas): (verb: Verb, schema: Tree) => Tree {
  const { group, version, kind } = gvk;
  const common = (verb: Verb): Tree => ({
    "x-kubernetes-action": actions[verb],
    "x-kubernetes-group-version-kind": { group, version, kind },
  });
  return (verb, schema) => {
    const body = { required: true, content: jsonOf(schema) };
    switch (verb) {
      case "list":
      case "watch":
        return { get: { ...common("list"), parameters: listParameters, responses: answer(schemas.list) } };
      case "get":
        return { get: { ...common(verb), responses: answer(schema) } };
      case "create":
        return { post: { ...common(verb), parameters: writeParameters, requestBody: body, responses: answer(schema) } };
      case "update":
        return { put: { ...common(verb), parameters: writeParameters, requestBody: body, responses: answer(schema) } };
      case "patch": {
        const content = Object.fromEntries(schemas.patchTypes.map((type) => [type, { schema: anyObject }]));
        const requestBody = { required: true, content };
        return { patch: { ...common(verb), parameters: patchParameters, requestBody, responses: answer(schema) } };
      }
      case "delete":
      case "deletecollection": {
        const requestBody = { content: jsonOf(schemas.deleteOptions) };
        const parameters = verb === "delete" ? deleteParameters : [...deleteParameters, ...listParameters];
        return { delete: { ...common(verb), parameters, requestBody, responses: answer(anyObject) } };
      }
    }
  };
}
