// Write rules of IngressClasses (pkg/apis/networking/validation).

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { WriteStrategy } from "../resource-definition.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../schema/field-cause.ts";
import { labelFaults, nameCauses, pathSegmentFaults, subdomainFaults } from "./names.ts";

interface Parameters {
  apiGroup?: string;
  kind?: string;
  name?: string;
  namespace?: string;
  scope?: string;
}

interface IngressClass extends KubeObject {
  spec?: { controller?: string; parameters?: Parameters };
}

const controllerField = "spec.controller";

export const ingressClassStrategy: WriteStrategy = {
  validate: (object, old) => {
    const { controller = "", parameters } = (object as IngressClass).spec ?? {};
    const causes = controllerCauses(controller);
    if (old && controller !== (old as IngressClass).spec?.controller) {
      causes.push(invalidValue(controllerField, controller, "field is immutable"));
    }
    return parameters ? [...causes, ...parametersCauses(parameters, "spec.parameters")] : causes;
  },
};

/** A path with a domain before it. */
function controllerCauses(controller: string): StatusCause[] {
  if (controller === "") return [required(controllerField)];
  const [domain = "", ...path] = controller.split("/");
  const isPath = path.length > 0 && path.every((segment) => /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(segment));
  if (controller.length > 250) return [tooLongController(controller)];
  if (isPath && subdomainFaults(domain).length === 0) return [];
  const detail = 'must be a domain-prefixed path (such as "acme.io/foo")';
  return [invalidValue(controllerField, controller, detail)];
}

function tooLongController(controller: string): StatusCause {
  return invalidValue(controllerField, controller, "must be no more than 250 characters");
}

function parametersCauses({ apiGroup, kind, name, namespace, scope }: Parameters, field: string): StatusCause[] {
  const causes = apiGroup === undefined ? [] : nameCauses(`${field}.apiGroup`, apiGroup, subdomainFaults);
  for (const [key, value] of Object.entries({ kind, name })) {
    if (!value) causes.push(required(`${field}.${key}`));
    else causes.push(...nameCauses(`${field}.${key}`, value, pathSegmentFaults));
  }
  if (scope !== "Cluster" && scope !== "Namespace") {
    causes.push(notSupported(`${field}.scope`, scope, ["Cluster", "Namespace"]));
  }
  const at = `${field}.namespace`;
  if (scope === "Namespace" && !namespace) causes.push(required(at, "`parameters.scope` is set to 'Namespace'"));
  else if (scope === "Namespace") causes.push(...nameCauses(at, namespace ?? "", labelFaults));
  if (scope === "Cluster" && namespace !== undefined) {
    causes.push(forbiddenField(at, "`parameters.scope` is set to 'Cluster'"));
  }
  return causes;
}
