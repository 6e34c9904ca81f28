// Write rules of Events, in both of their forms: an Event lives where its object does.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue } from "../schema/field-cause.ts";

export const eventStrategy: WriteStrategy = {
  validate: (object) => {
    const name = object.apiVersion === "v1" ? "involvedObject" : "regarding";
    const { namespace } = (object[name] ?? {}) as Partial<KubeObject["metadata"]>;
    // Events about cluster-scoped objects are kept in `default`.
    if (!namespace || namespace === object.metadata.namespace) return [];
    return [invalidValue(`${name}.namespace`, namespace, "does not match event.namespace")];
  },
};
