// Write rules of ConfigMaps.

import type { ConfigMap } from "@gatehouse/apimachinery/types/core-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue } from "../schema/field-cause.ts";
import { dataCauses, frozenCauses } from "./data-keys.ts";

export const configMapStrategy: WriteStrategy = {
  validate: (object, old) => {
    const { data, binaryData } = object as ConfigMap;
    const causes = dataCauses({ data, binaryData }, (field) => field === "binaryData");
    for (const key of Object.keys(data ?? {})) {
      if (binaryData && Object.hasOwn(binaryData, key))
        causes.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
    }
    return [...causes, ...frozenCauses(object, old, ["data", "binaryData"])];
  },
};
