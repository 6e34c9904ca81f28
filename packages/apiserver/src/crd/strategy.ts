// Write rules of CustomResourceDefinitions.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue } from "../schema/field-cause.ts";
import { validateCrd } from "./validate-crd.ts";

interface Names {
  kind?: string;
  singular?: string;
  listKind?: string;
}

/** Names follow from the kind where they are not given (apiextensions SetDefaults_CustomResourceDefinitionSpec). */
function completeNames(crd: KubeObject): void {
  const names = (crd["spec"] as { names?: Names } | undefined)?.names;
  if (typeof names?.kind !== "string") return;
  names.singular ||= names.kind.toLowerCase();
  names.listKind ||= `${names.kind}List`;
}

/** Objects that are stored would lose their kind or their place. */
function unchanging(crd: KubeObject, old: KubeObject): StatusCause[] {
  type Spec = { group?: string; scope?: string; names?: Names & { plural?: string } };
  const [now, before] = [crd["spec"], old["spec"]] as [Spec, Spec];
  const pairs: [string, unknown, unknown][] = [
    ["spec.group", now.group, before.group],
    ["spec.scope", now.scope, before.scope],
    ["spec.names.plural", now.names?.plural, before.names?.plural],
    ["spec.names.kind", now.names?.kind, before.names?.kind],
  ];
  return pairs.filter(([, a, b]) => a !== b).map(([path, value]) => invalidValue(path, value, "field is immutable"));
}

/** Objects may still be stored in a version that was the storage version once; the status says which. */
function lostVersions(crd: KubeObject): StatusCause[] {
  const { versions = [] } = (crd["spec"] ?? {}) as { versions?: { name?: string }[] };
  const { storedVersions = [] } = (crd["status"] ?? {}) as { storedVersions?: string[] };
  return storedVersions.flatMap((stored, index) =>
    versions.some(({ name }) => name === stored)
      ? []
      : [invalidValue(`status.storedVersions[${index}]`, stored, "must appear in spec.versions")],
  );
}

export const crdStrategy: WriteStrategy = {
  prepareForCreate: completeNames,
  prepareForUpdate: completeNames,
  validate: (crd, old) => [...validateCrd(crd, old), ...(old ? [...unchanging(crd, old), ...lostVersions(crd)] : [])],
};
