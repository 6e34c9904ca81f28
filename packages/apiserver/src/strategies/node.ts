// Write rules of Nodes: a Pod range, once given, stays.

import type { Node } from "@gatehouse/apimachinery/types/core-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { forbiddenField } from "../schema/field-cause.ts";

export const nodeStrategy: WriteStrategy = {
  validate: (object, old) => {
    const before = old && (old as Node).spec?.podCIDR;
    if (!before || before === (object as Node).spec?.podCIDR) return [];
    return [forbiddenField("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')];
  },
};
