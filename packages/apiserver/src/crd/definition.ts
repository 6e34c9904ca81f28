import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceDefinition, WriteStrategy } from "../resource-definition.ts";

export function definitionsOf(_crd: KubeObject): ResourceDefinition[] {
  return [];
}

export const crdStrategy: WriteStrategy = {};
