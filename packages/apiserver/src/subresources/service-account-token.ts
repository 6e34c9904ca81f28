// TokenRequest: a signed, expiring token of a ServiceAccount (authentication.k8s.io/v1).

import { type KubeObject, timestamp } from "@gatehouse/apimachinery/meta";
import { badRequest, invalid, notFound } from "@gatehouse/apimachinery/status-error";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import type { BoundObject } from "../auth/service-account-tokens.ts";
import { decodeBody } from "../http/decode-body.ts";
import { readObject } from "../storage/stored-objects.ts";

interface TokenRequestSpec {
  audiences?: string[];
  expirationSeconds?: number;
  boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string };
}

const defaultSeconds = 3600;
const minSeconds = 600;
const maxSeconds = 1 << 30;

/** Answers 201 with the token in its status. Throws 404 without the account or the bound object, 422 for a lifetime out of range. */
export async function requestToken(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  const { definition, namespace = "", name = "" } = request;
  const body = (await decodeBody(request.body)) as { spec?: TokenRequestSpec } | null;
  const spec = body?.spec ?? {};
  await context.store.settled();
  const serviceAccount = readObject(context.store, definition, namespace, name);
  if (!serviceAccount) throw notFound(subjectOf(definition, name));
  const expirationSeconds = spec.expirationSeconds ?? defaultSeconds;
  if (!Number.isSafeInteger(expirationSeconds) || expirationSeconds < minSeconds || expirationSeconds > maxSeconds) {
    const message = `Invalid value: ${JSON.stringify(expirationSeconds)}: may not specify a duration less than 10 minutes or more than 2^30 seconds`;
    const cause = { reason: "FieldValueInvalid", message, field: "spec.expirationSeconds" };
    throw invalid({ group: "authentication.k8s.io", kind: "TokenRequest", name }, [cause]);
  }
  const audiences = Array.isArray(spec.audiences) ? spec.audiences.map(String) : [];
  const boundTo = boundObject(context, serviceAccount, spec);
  const { token, expiresAt } = context.tokens.issue({
    namespace,
    serviceAccount,
    audiences,
    expirationSeconds,
    ...(boundTo ? { boundTo } : {}),
  });
  return {
    type: "json",
    code: 201,
    body: {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name, namespace, creationTimestamp: timestamp() },
      spec: { ...spec, audiences: audiences.length > 0 ? audiences : context.tokens.audiences, expirationSeconds },
      status: { token, expirationTimestamp: timestamp(expiresAt) },
    },
  };
}

const bindable: Record<string, string> = { Pod: "pods", Secret: "secrets" };

function boundObject(
  context: ApiContext,
  serviceAccount: KubeObject,
  { boundObjectRef: reference }: TokenRequestSpec,
): BoundObject | undefined {
  if (!reference) return undefined;
  const { kind = "", name = "", uid } = reference;
  const plural = Object.hasOwn(bindable, kind) ? bindable[kind] : undefined;
  if (!plural) throw badRequest(`cannot bind token to object of type ${kind}`);
  const found = context.store.get(`/${plural}`, `${serviceAccount.metadata.namespace}/${name}`);
  if (!found || (uid && found.metadata.uid !== uid)) throw notFound({ group: "", plural, name });
  const account = (found as Pod).spec?.serviceAccountName;
  if (kind === "Pod" && account !== serviceAccount.metadata.name) {
    throw badRequest(
      `cannot bind token for serviceaccount "${serviceAccount.metadata.name}" to pod running with different serviceaccount name.`,
    );
  }
  return { kind, name, uid: found.metadata.uid ?? "" };
}
