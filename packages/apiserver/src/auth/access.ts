// Authorization of a request in Kubernetes' wording, and impersonation (`kubectl --as`).

import type { IncomingHttpHeaders } from "node:http";
import { badRequest, forbidden } from "@gatehouse/apimachinery/status-error";
import type { Authorizer, ResourceAttributes } from "./authorization.ts";
import { authenticated, type Identity } from "./identity.ts";
import type { PathRequestInfo, ResourceRequestInfo } from "../http/request-info.ts";
import { exactName } from "../storage/selection.ts";

/** Throws 403. */
export function authorizePath(authorizer: Authorizer, identity: Identity, { verb, path }: PathRequestInfo): void {
  const asked = verb === "head" ? "get" : verb;
  if (authorizer.allowsPath(identity, { verb: asked, path })) return;
  throw forbidden(`forbidden: User ${JSON.stringify(identity.user)} cannot ${asked} path ${JSON.stringify(path)}`);
}

/** Throws 403. */
export function authorizeResource(authorizer: Authorizer, identity: Identity, info: ResourceRequestInfo): void {
  // A Namespace is inside itself: its own role bindings may let people see it.
  const namespace = info.group === "" && info.plural === "namespaces" ? info.name : info.namespace;
  const attributes = { ...info, namespace, name: info.name ?? selectedName(info) };
  if (!authorizer.allowsResource(identity, attributes)) throw refusal(identity, attributes);
}

/** Who may see one object only may list and watch it by its name; no other verb is narrowed by its selector. */
function selectedName({ verb, query }: ResourceRequestInfo): string | undefined {
  return verb === "list" || verb === "watch" ? exactName(query.get("fieldSelector") ?? "") : undefined;
}

function refusal(identity: Identity, attributes: ResourceAttributes): Error {
  const { verb, group, plural, subresource, namespace, name } = attributes;
  const resource = group ? `${plural}.${group}` : plural;
  const subject = name ? `${resource} "${name}"` : resource;
  const asked = subresource ? `${plural}/${subresource}` : plural;
  const scope = namespace ? `in the namespace "${namespace}"` : "at the cluster scope";
  const message = `${subject} is forbidden: User ${JSON.stringify(identity.user)} cannot ${verb} resource "${asked}" in API group "${group}" ${scope}`;
  return forbidden(message, { group, plural, ...(name ? { name } : {}) });
}

/** The identity a caller asks to act as, if any. Throws 403 when it may not. */
export function impersonated(authorizer: Authorizer, caller: Identity, headers: IncomingHttpHeaders): Identity {
  const user = single(headers["impersonate-user"]);
  const groups = list(headers["impersonate-group"]);
  const uid = single(headers["impersonate-uid"]);
  const extra = extraOf(headers);
  const others = Object.keys(headers).filter((name) => name.startsWith("impersonate-"));
  if (others.length === 0) return caller;
  if (!user) throw badRequest("requested impersonation without impersonating a user");
  const unknown = others.find((name) => !/^impersonate-(user|group|uid|extra-.+)$/.test(name));
  if (unknown) throw forbidden(`the header ${unknown} is not supported`);
  check(authorizer, caller, userAttributes(user));
  for (const group of groups)
    check(authorizer, caller, { verb: "impersonate", group: "", plural: "groups", name: group });
  const asAttribute = { verb: "impersonate", group: "authentication.k8s.io" };
  if (uid) check(authorizer, caller, { ...asAttribute, plural: "uids", name: uid });
  for (const [subresource, values] of Object.entries(extra))
    for (const name of values) check(authorizer, caller, { ...asAttribute, plural: "userextras", subresource, name });
  return authenticated({
    user,
    groups: groups.length > 0 ? groups : impliedGroups(user),
    ...(uid ? { uid } : {}),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  });
}

const extraPrefix = "impersonate-extra-";

/** `Impersonate-Extra-<key>`, its key percent-encoded and in lower case. Throws URIError on a malformed escape. */
function extraOf(headers: IncomingHttpHeaders): Record<string, string[]> {
  const named = Object.entries(headers).filter(([name]) => name.startsWith(extraPrefix) && name !== extraPrefix);
  return Object.fromEntries(
    named.map(([name, value]) => [decodeURIComponent(name.slice(extraPrefix.length)).toLowerCase(), list(value)]),
  );
}

function check(authorizer: Authorizer, caller: Identity, attributes: ResourceAttributes): void {
  if (!authorizer.allowsResource(caller, attributes)) throw refusal(caller, attributes);
}

const serviceAccount = /^system:serviceaccount:([^:]+):([^:]+)$/;

function userAttributes(user: string): ResourceAttributes {
  const account = serviceAccount.exec(user);
  if (!account) return { verb: "impersonate", group: "", plural: "users", name: user };
  return { verb: "impersonate", group: "", plural: "serviceaccounts", namespace: account[1], name: account[2] };
}

function impliedGroups(user: string): string[] {
  const account = serviceAccount.exec(user);
  return account ? ["system:serviceaccounts", `system:serviceaccounts:${account[1]}`] : [];
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** node:http joins repeated unknown headers by a comma and a space. */
function list(value: string | string[] | undefined): string[] {
  return (Array.isArray(value) ? value : (value ?? "").split(", ")).filter(Boolean);
}
