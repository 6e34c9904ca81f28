// Write rules of Secrets: plain text becomes base64, the type is fixed, and well-known types have their keys.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Secret } from "@gatehouse/apimachinery/types/core-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue, required } from "../schema/field-cause.ts";
import { dataCauses, frozenCauses } from "./data-keys.ts";

const accountAnnotation = "kubernetes.io/service-account.name";

const requiredKeys: Record<string, string[]> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

/** Keys whose values are JSON. */
const jsonKeys: Record<string, string[]> = {
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
};

export const secretStrategy: WriteStrategy = {
  complete: (object, old) => {
    // Type is often left out of a PUT; it cannot change anyway.
    const { type } = (old ?? {}) as Partial<Secret>;
    if (type !== undefined) object.type ??= type;
    complete(object);
  },
  validate: (object, old) => [
    ...dataCauses({ data: (object as Secret).data }, () => true),
    ...typeCauses(object),
    ...(old && old.type !== object.type ? [invalidValue("type", object.type, "field is immutable")] : []),
    ...frozenCauses(object, old, ["data"]),
  ],
};

function complete(secret: Secret): void {
  secret.type ||= "Opaque";
  if (secret.stringData) {
    const encoded = Object.entries(secret.stringData).map(([key, text]) => [
      key,
      Buffer.from(text, "utf8").toString("base64"),
    ]);
    secret.data = { ...secret.data, ...(Object.fromEntries(encoded) as Record<string, string>) };
    delete secret.stringData;
  }
}

function typeCauses({ type = "", data = {}, metadata }: Secret & KubeObject): StatusCause[] {
  const missing = Object.hasOwn(requiredKeys, type)
    ? (requiredKeys[type] ?? []).filter((key) => !Object.hasOwn(data, key))
    : [];
  const causes = missing.map((key) => required(`data[${key}]`));
  if (type === "kubernetes.io/basic-auth" && data["username"] === undefined && data["password"] === undefined) {
    // The percent signs are Kubernetes' own.
    causes.push(required("data[%username]"), required("data[%password]"));
  }
  for (const key of missing.length === 0 ? (jsonKeys[type] ?? []) : []) {
    const fault = jsonFault(Buffer.from(data[key] ?? "", "base64").toString("utf8"));
    if (fault) causes.push(invalidValue(`data[${key}]`, "<secret contents redacted>", fault));
  }
  if (type === "kubernetes.io/service-account-token" && !metadata.annotations?.[accountAnnotation]) {
    causes.push(required(`metadata.annotations[${accountAnnotation}]`));
  }
  return causes;
}

/** Why `text` is no JSON, without any of it: it is a secret. */
function jsonFault(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    return "must be valid JSON";
  }
}
