// Follows the CustomResourceDefinitions in the store: serves what they define, and lets a terminating one go with its last object.

import type { ApiContext } from "../api-context.ts";
import { definitionsOf } from "./definition.ts";
import {
  cleanupFinalizer,
  crdResource,
  type CustomResourceDefinition,
  establish,
  instancesOf,
  isEstablished,
} from "./crd-lifecycle.ts";

/** Serves what the stored definitions define, from now on until the store closes. */
export function serveCustomResources(context: ApiContext): void {
  const resources = new CustomResources(context);
  for (const [, crd] of context.store.scan(crdResource)) resources.serve(crd as CustomResourceDefinition);
  context.store.subscribe(crdResource, ({ type, object }) => {
    if (type === "DELETED") resources.forget(object as CustomResourceDefinition);
    else resources.serve(object as CustomResourceDefinition);
  });
}

class CustomResources {
  readonly #context: ApiContext;
  /** By definition name: stops watching its objects. */
  readonly #waiting = new Map<string, () => void>();

  constructor(context: ApiContext) {
    this.#context = context;
  }

  serve(crd: CustomResourceDefinition): void {
    // Its names are another's.
    if (!isEstablished(crd.status)) return;
    try {
      this.#context.registry.setCustom(crd.metadata.name, definitionsOf(crd));
    } catch (error) {
      this.#context.log.error(`the resources of ${crd.metadata.name} cannot be served`, error);
    }
    if (crd.metadata.deletionTimestamp) this.#awaitLastInstance(crd);
  }

  forget(crd: CustomResourceDefinition): void {
    this.#context.registry.removeCustom(crd.metadata.name);
    this.#waiting.get(crd.metadata.name)?.();
    this.#waiting.delete(crd.metadata.name);
    setImmediate(() => this.#retry(crd.spec.group));
  }

  /** A definition that went may have had names that others wait for. */
  #retry(group: string): void {
    const { store } = this.#context;
    const all = [...store.scan(crdResource)].map(([, object]) => object as CustomResourceDefinition);
    for (const crd of all) {
      if (crd.spec.group !== group || isEstablished(crd.status)) continue;
      const next = structuredClone(crd);
      establish(next, crd, all);
      if (isEstablished(next.status)) store.write(crdResource, crd.metadata.name, next);
    }
  }

  #awaitLastInstance(crd: CustomResourceDefinition): void {
    const { name } = crd.metadata;
    const resource = instancesOf(crd);
    const { store } = this.#context;
    const check = (): void => {
      if (store.count(resource) > 0) return;
      const current = store.get(crdResource, name);
      if (!current?.metadata.finalizers?.includes(cleanupFinalizer)) return;
      const finalizers = current.metadata.finalizers.filter((finalizer) => finalizer !== cleanupFinalizer);
      const metadata = { ...current.metadata, finalizers };
      if (finalizers.length === 0) store.remove(crdResource, name);
      else store.write(crdResource, name, { ...current, metadata });
    };
    if (!this.#waiting.has(name)) this.#waiting.set(name, store.subscribe(resource, check));
    // Not at once: this may run inside the commit that wrote the definition.
    setImmediate(check);
  }
}
