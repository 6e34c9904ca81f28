// Write rules of Ingresses (stored for the clients that make them; no controller here serves them).

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue, required } from "../schema/field-cause.ts";

interface Ingress extends KubeObject {
  spec?: {
    defaultBackend?: object;
    rules?: { host?: string; http?: { paths?: { path?: string; pathType?: string }[] } }[];
  };
}

export const ingressStrategy: WriteStrategy = {
  validate: (object) => {
    const { defaultBackend, rules = [] } = (object as Ingress).spec ?? {};
    if (!defaultBackend && rules.length === 0) {
      return [invalidValue("spec", {}, "either `defaultBackend` or `rules` must be specified")];
    }
    return rules.flatMap((rule, index) =>
      (rule.http?.paths ?? []).flatMap((path, at) => pathCauses(path, `spec.rules[${index}].http.paths[${at}]`)),
    );
  },
  warnings: () => ["Ingresses are stored but not served here; use the Gateway API"],
};

function pathCauses({ path = "", pathType }: { path?: string; pathType?: string }, field: string): StatusCause[] {
  if (!pathType) return [required(`${field}.pathType`, "pathType must be specified")];
  if (pathType === "ImplementationSpecific" || path.startsWith("/")) return [];
  return [invalidValue(`${field}.path`, path, "must be an absolute path")];
}
