// Names of resources: what a client must know to build a URL, and the built-in ones by name.

import type { KubeObject } from "./meta.ts";

/** One served resource. `T` is the static type of its objects (phantom: never a value). */
export interface ResourceType<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
  readonly _type?: T;
}

/** `v1`, or `group/version`. */
export function apiVersionOf(type: { group: string; version: string }): string {
  return type.group ? `${type.group}/${type.version}` : type.version;
}

/** The path of a collection or, with a name, of an object: `/apis/apps/v1/namespaces/demo/deployments/whoami-v1`. */
export function resourcePath(type: ResourceType, namespace?: string, name?: string, subresource?: string): string {
  const root = type.group ? `/apis/${type.group}/${type.version}` : `/api/${type.version}`;
  const scope = type.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  const object = name === undefined ? "" : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${type.plural}${object}${subresource ? `/${subresource}` : ""}`;
}
