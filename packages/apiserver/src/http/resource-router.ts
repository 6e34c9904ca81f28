// From a resource request to the function that answers it: the verb, the subresource, or a review.

import { badRequest } from "@gatehouse/apimachinery/status-error";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import { isPolicyGroup, loadPolicyRules } from "../admission/admit.ts";
import type { Answer, ApiContext, ResourceRequest } from "../api-context.ts";
import { authorizeResource } from "../auth/access.ts";
import type { Authenticator } from "../auth/authentication.ts";
import type { Authorizer } from "../auth/authorization.ts";
import { absentResource, methodNotAllowed, noSuchResource } from "./error-answers.ts";
import { absenceOf } from "../kinds/not-served.ts";
import type { Registry } from "../registry.ts";
import type { ResourceRequestInfo } from "./request-info.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { subresourceNames } from "../subresources/names.ts";
import { create } from "../verbs/create.ts";
import { removeCollection } from "../verbs/delete-collection.ts";
import { remove } from "../verbs/delete.ts";
import { get } from "../verbs/get.ts";
import { list } from "../verbs/list.ts";
import { patch } from "../verbs/patch.ts";
import { update } from "../verbs/update.ts";

/** The definition a request is about. Throws 404 for what is not served, 405 for a verb it does not take. */
export function definitionFor(registry: Registry, info: ResourceRequestInfo): ResourceDefinition {
  const definition = registry.get(info.group, info.version, info.plural);
  if (!definition) throw notServed(registry, info);
  if (!definition.type.namespaced && info.namespace !== undefined) throw noSuchResource();
  if (info.subresource !== undefined) return definition;
  const inAllNamespaces = definition.type.namespaced && info.namespace === undefined;
  if (inAllNamespaces && info.name !== undefined) throw noSuchResource();
  if (inAllNamespaces && (info.verb === "create" || info.verb === "deletecollection")) throw methodNotAllowed();
  if (info.name !== undefined && info.verb === "create") throw methodNotAllowed();
  if (info.name === undefined && (info.verb === "update" || info.verb === "patch")) throw methodNotAllowed();
  if (definition.verbs?.includes(info.verb)) throw methodNotAllowed();
  return definition;
}

function notServed(registry: Registry, { group, plural }: ResourceRequestInfo): Error {
  const why = absenceOf(group, plural);
  if (why !== undefined) return absentResource(why);
  const others = registry.definitions().filter(({ type }) => type.group === group && type.plural === plural);
  if (others.length === 0) return noSuchResource();
  const versions = others.map(({ type }) => apiVersionOf(type)).join(", ");
  return absentResource(`the server could not find the requested resource: ${plural} are served as ${versions}`);
}

/** Answers everything but watches. */
export async function answerResource(
  context: ApiContext,
  authenticator: Authenticator,
  authorizer: Authorizer,
  request: ResourceRequest,
): Promise<Answer> {
  if (isPolicyGroup(request.definition)) await loadPolicyRules();
  if (request.subresource !== undefined) return answerSubresource(context, request);
  if (isReview(request.definition)) {
    const { review } = await import("../reviews/review.ts");
    return review(context, authenticator, authorizer, request);
  }
  switch (request.verb) {
    case "get":
      return get(context, request);
    case "list":
      return list(context, request);
    case "create":
      return create(context, request);
    case "update":
      return update(context, request);
    case "patch":
      return patch(context, request, "object", () =>
        authorizeResource(authorizer, request.identity, asCreate(request)),
      );
    case "delete":
      return remove(context, request);
    case "deletecollection":
      return removeCollection(context, request);
    default:
      throw methodNotAllowed();
  }
}

/** What making the object of a PATCH is: a create, of this very name. */
const asCreate = (request: ResourceRequest): ResourceRequestInfo => ({ ...request, verb: "create" });

function isReview({ type }: ResourceDefinition): boolean {
  return type.group === "authentication.k8s.io" || type.group === "authorization.k8s.io";
}

async function answerSubresource(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  const { definition, subresource, verb } = request;
  const { group, plural } = definition.type;
  if (subresource === "status" && definition.subresources.status) return answerStatus(context, request);
  if (subresource === "scale" && definition.subresources.scale) {
    const { scale } = await import("../subresources/scale.ts");
    return scale(context, request, definition.subresources.scale);
  }
  const name = subresourceNames[`${group}/${plural}/${subresource}`];
  if (!name) throw noSuchResource();
  if (!name.verbs.includes(verb)) throw methodNotAllowed();
  switch (`${plural}/${subresource}`) {
    case "pods/log":
      return (await import("../subresources/pod-log.ts")).podLog(context, request);
    case "pods/attach":
    case "pods/exec":
    case "pods/portforward":
      throw badRequest("Upgrade request required");
    case "pods/binding":
      return (await import("../subresources/pod-binding.ts")).bindPod(context, request);
    case "pods/eviction":
      return (await import("../subresources/pod-eviction.ts")).evictPod(context, request);
    case "serviceaccounts/token":
      return (await import("../subresources/service-account-token.ts")).requestToken(context, request);
    case "namespaces/finalize":
      return (await import("../subresources/namespace-finalize.ts")).finalizeNamespace(context, request);
    default:
      throw noSuchResource();
  }
}

function answerStatus(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  if (request.verb === "get") return get(context, request);
  if (request.verb === "update") return update(context, request, "status");
  if (request.verb === "patch") return patch(context, request, "status");
  throw methodNotAllowed();
}
