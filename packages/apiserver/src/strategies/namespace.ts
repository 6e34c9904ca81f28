// Write rules of Namespaces: the finalizer that holds one until it is empty, its phase, and the label with its own name.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Namespace } from "@gatehouse/apimachinery/types/core-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue } from "../schema/field-cause.ts";
import { nameCauses, qualifiedNameFaults } from "./names.ts";

export const namespaceStrategy: WriteStrategy = {
  prepareForCreate: (object) => {
    const namespace = object as Namespace;
    const finalizers = namespace.spec?.finalizers ?? [];
    namespace.spec = { finalizers: [...new Set([...finalizers, "kubernetes"])] };
    namespace.status = { phase: "Active" };
    label(namespace);
  },
  prepareForUpdate: (object, old) => {
    // Only the finalize subresource changes these.
    const { spec } = old as Namespace;
    if (spec) object.spec = spec;
    else delete object.spec;
    label(object);
  },
  validate: (object) =>
    ((object as Namespace).spec?.finalizers ?? []).flatMap((finalizer) => {
      const causes = nameCauses("spec.finalizers", finalizer, qualifiedNameFaults);
      if (causes.length > 0 || finalizer.includes("/") || finalizer === "kubernetes") return causes;
      const detail = "name is neither a standard finalizer name nor is it fully qualified";
      return [invalidValue("spec.finalizers", finalizer, detail)];
    }),
};

function label({ metadata }: KubeObject): void {
  metadata.labels = { ...metadata.labels, "kubernetes.io/metadata.name": metadata.name };
}
