// Reviews: questions about identity and access, answered and never stored.

import { badRequest, invalid, type StatusCause, type StatusError } from "@gatehouse/apimachinery/status-error";
import type { Answer, ApiContext, ResourceRequest } from "../api-context.ts";
import type { Authenticator } from "../auth/authentication.ts";
import type { Authorizer, PolicyRule } from "../auth/authorization.ts";
import { decodeBody } from "../http/decode-body.ts";
import { noSuchResource } from "../http/error-answers.ts";
import { authenticated, type Identity, mastersGroup } from "../auth/identity.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { invalidValue } from "../schema/field-cause.ts";
import { validateSchema } from "../schema/validate.ts";
import { decodeObject, kindSubject } from "../write-pipeline.ts";

interface AccessSpec {
  resourceAttributes?: {
    namespace?: string;
    verb?: string;
    group?: string;
    resource?: string;
    subresource?: string;
    name?: string;
  };
  nonResourceAttributes?: { path?: string; verb?: string };
  user?: string;
  uid?: string;
  groups?: string[];
}

type Spec = Record<string, unknown> & AccessSpec;

/** Answers 201 with the review and its status. Throws 400 for a question that is none. */
export async function review(
  context: ApiContext,
  authenticator: Authenticator,
  authorizer: Authorizer,
  request: ResourceRequest,
): Promise<Answer> {
  const question = decodeObject(request, await decodeBody(request.body));
  const { definition } = request;
  // Clients send an empty one along, with null for its lists; it is the server's to fill.
  delete question.status;
  const causes = validateSchema(definition.schema, question);
  if (causes.length > 0) throw invalid(kindSubject(question, definition), causes);
  await context.store.settled();
  const status = statusFor(context, authenticator, authorizer, request, (question.spec ?? {}) as Spec);
  return { type: "json", code: 201, body: { ...question, status } };
}

function statusFor(
  context: ApiContext,
  authenticator: Authenticator,
  authorizer: Authorizer,
  { definition, identity, namespace }: ResourceRequest,
  spec: Spec,
): unknown {
  switch (definition.type.plural) {
    case "selfsubjectaccessreviews":
      return access(authorizer, definition, identity, spec);
    case "subjectaccessreviews":
      return access(authorizer, definition, subjectOfReview(definition, spec), spec);
    case "localsubjectaccessreviews":
      if (spec.resourceAttributes?.namespace !== namespace) {
        const wanted = spec.resourceAttributes?.namespace ?? "";
        throw faulty(
          definition,
          invalidValue("spec.resourceAttributes.namespace", wanted, "must match metadata.namespace"),
        );
      }
      return access(authorizer, definition, subjectOfReview(definition, spec), spec);
    case "selfsubjectrulesreviews":
      if (!spec.namespace) throw badRequest("no namespace on request");
      return rules(authorizer, identity, String(spec.namespace));
    case "selfsubjectreviews":
      return { userInfo: userInfo(identity) };
    case "tokenreviews":
      return tokenStatus(context, authenticator, spec);
    default:
      throw noSuchResource();
  }
}

function faulty({ type }: ResourceDefinition, cause: StatusCause): StatusError {
  return invalid({ group: type.group, kind: type.kind, name: "" }, [cause]);
}

function subjectOfReview(definition: ResourceDefinition, { user, uid, groups = [] }: AccessSpec): Identity {
  if (!user && groups.length === 0) {
    throw faulty(definition, invalidValue("spec.user", "", "at least one of user or group must be specified"));
  }
  return { user: user ?? "", groups, ...(uid ? { uid } : {}) };
}

function access(
  authorizer: Authorizer,
  definition: ResourceDefinition,
  identity: Identity,
  spec: AccessSpec,
): { allowed: boolean; reason?: string } {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (resource && path) {
    const detail = "cannot be specified in combination with resourceAttributes";
    throw faulty(definition, invalidValue("spec.nonResourceAttributes", path, detail));
  }
  if (!resource && !path) {
    const detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    throw faulty(definition, invalidValue("spec.resourceAttributes", null, detail));
  }
  if (path) return { allowed: authorizer.allowsPath(identity, { verb: path.verb ?? "", path: path.path ?? "" }) };
  const { verb = "", group = "", resource: plural = "", subresource, namespace, name } = resource ?? {};
  return {
    allowed: authorizer.allowsResource(identity, {
      verb,
      group,
      plural,
      subresource: subresource || undefined,
      namespace,
      name,
    }),
  };
}

const everything: PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

function rules(authorizer: Authorizer, identity: Identity, namespace: string): unknown {
  const found = authorizer.rulesFor(identity, namespace);
  // Members of the group pass without any rule; the answer says so in rules.
  const all = identity.groups.includes(mastersGroup) ? [...everything, ...found] : found;
  return {
    resourceRules: all.filter((rule) => rule.resources),
    nonResourceRules: all.filter((rule) => rule.nonResourceURLs),
    incomplete: false,
  };
}

function tokenStatus(context: ApiContext, authenticator: Authenticator, spec: Record<string, unknown>): unknown {
  const token = typeof spec.token === "string" ? spec.token : "";
  if (token === "") throw badRequest("spec.token: token is required");
  const asked = Array.isArray(spec.audiences) ? spec.audiences.map(String) : [];
  const audiences = asked.length > 0 ? asked : context.tokens.audiences;
  const own = authenticator.identifyToken(token);
  const identity =
    context.tokens.identify(token, audiences) ??
    (audiences.some((one) => context.tokens.audiences.includes(one)) ? own : undefined);
  if (!identity) return { authenticated: false, error: "the token is not valid for the audiences asked for" };
  return { authenticated: true, user: userInfo(identity), audiences };
}

function userInfo(identity: Identity): unknown {
  const { user: username, uid, groups, extra } = authenticated(identity);
  return { username, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) };
}
