// Objects between a served version and the store: keys, and the form in which each version shows what is kept once.

import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { eventFromStored, eventToStored, isNewEvents } from "../event-conversion.ts";
import { storageOf } from "../registry.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import type { Store } from "./store.ts";

/** The store's key of an object. */
export function keyOf(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}

/** Where a definition's objects are kept; both kinds of Event share one place. */
export function resourceKey(definition: ResourceDefinition): string {
  return isNewEvents(definition) ? "/events" : storageOf(definition);
}

/** A stored object as `definition` serves it. Returns the stored tree itself when it needs no change. */
export function present(definition: ResourceDefinition, stored: KubeObject): KubeObject {
  if (isNewEvents(definition)) return eventFromStored(stored);
  const form = definition.custom?.forms.of(stored) ?? stored;
  const apiVersion = apiVersionOf(definition.type);
  return form.apiVersion === apiVersion ? form : { ...form, apiVersion };
}

export function readObject(
  store: Store,
  definition: ResourceDefinition,
  namespace: string | undefined,
  name: string,
): KubeObject | undefined {
  const stored = store.get(resourceKey(definition), keyOf(namespace, name));
  return stored && present(definition, stored);
}

/** Stores what `definition` shows as `object`; returns it under its new revision. */
export function writeObject(store: Store, definition: ResourceDefinition, object: KubeObject): KubeObject {
  const key = keyOf(object.metadata.namespace, object.metadata.name);
  const form = isNewEvents(definition) ? eventToStored(object) : object;
  const stored = store.write(resourceKey(definition), key, form);
  definition.custom?.forms.admitted(stored);
  return present(definition, stored);
}

/** Removes an object; returns its last state (default: as stored) under the deletion's revision. */
export function removeObject(store: Store, definition: ResourceDefinition, object: KubeObject): KubeObject {
  const key = keyOf(object.metadata.namespace, object.metadata.name);
  const form = isNewEvents(definition) ? eventToStored(object) : object;
  return present(definition, store.remove(resourceKey(definition), key, form) ?? form);
}
