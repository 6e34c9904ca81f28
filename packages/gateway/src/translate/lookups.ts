// Which results rest on which lookups: an index that notes what it is asked, and who has asked for a key.

import { sharedFlat } from "./flat-text.ts";
import type { ObjectIndex } from "./gateway-objects.ts";

/** An index that gives the same answers; the key of every question is added to `keys`, in the form in which `ObjectStore.change` names it. */
export const recording = (index: ObjectIndex, keys: Set<string>): ObjectIndex => new RecordingIndex(index, keys);

class RecordingIndex implements ObjectIndex {
  readonly #index: ObjectIndex;
  readonly #keys: Set<string>;

  constructor(index: ObjectIndex, keys: Set<string>) {
    this.#index = index;
    this.#keys = keys;
  }

  service(namespace: string, name: string): ReturnType<ObjectIndex["service"]> {
    this.#keys.add(sharedFlat("services", namespace, name));
    return this.#index.service(namespace, name);
  }

  endpointSlices(namespace: string, serviceName: string): ReturnType<ObjectIndex["endpointSlices"]> {
    this.#keys.add(sharedFlat("endpointSlices", namespace, serviceName));
    return this.#index.endpointSlices(namespace, serviceName);
  }

  referenceGrants(namespace: string): ReturnType<ObjectIndex["referenceGrants"]> {
    this.#keys.add(sharedFlat("referenceGrants", namespace));
    return this.#index.referenceGrants(namespace);
  }

  namespaceLabels(name: string): ReturnType<ObjectIndex["namespaceLabels"]> {
    this.#keys.add(sharedFlat("namespaces", name));
    return this.#index.namespaceLabels(name);
  }

  secret(namespace: string, name: string): ReturnType<ObjectIndex["secret"]> {
    this.#keys.add(sharedFlat("secrets", namespace, name));
    return this.#index.secret(namespace, name);
  }

  configMap(namespace: string, name: string): ReturnType<ObjectIndex["configMap"]> {
    this.#keys.add(sharedFlat("configMaps", namespace, name));
    return this.#index.configMap(namespace, name);
  }

  backendTLSPolicies(namespace: string, serviceName: string): ReturnType<ObjectIndex["backendTLSPolicies"]> {
    this.#keys.add(sharedFlat("backendTLSPolicies", namespace, serviceName));
    return this.#index.backendTLSPolicies(namespace, serviceName);
  }

  backendTrafficPolicies(namespace: string, serviceName: string): ReturnType<ObjectIndex["backendTrafficPolicies"]> {
    this.#keys.add(sharedFlat("backendTrafficPolicies", namespace, serviceName));
    return this.#index.backendTrafficPolicies(namespace, serviceName);
  }

  xBackend(namespace: string, name: string): ReturnType<ObjectIndex["xBackend"]> {
    this.#keys.add(sharedFlat("xBackends", namespace, name));
    return this.#index.xBackend(namespace, name);
  }
}

interface One<N> {
  one: N;
}

/** Many to many, asked from both sides. `N` are the results that depend, `string`s the keys they depend on. */
export class Dependencies<N> {
  /** Lists, as there are thousands of them with a few keys each. */
  readonly #keys = new Map<N, readonly string[]>();
  /** Most keys have one dependent. */
  readonly #dependents = new Map<string, One<N> | Set<N>>();

  /** Replaces what `node` depends on. */
  set(node: N, keys: ReadonlySet<string>): void {
    const before = new Set(this.#keys.get(node));
    for (const key of before) if (!keys.has(key)) this.#drop(key, node);
    for (const key of keys) {
      if (before.has(key)) continue;
      const present = this.#dependents.get(key);
      if (!present) this.#dependents.set(key, { one: node });
      else if (present instanceof Set) present.add(node);
      else this.#dependents.set(key, new Set([present.one, node]));
    }
    if (keys.size > 0) this.#keys.set(node, [...keys]);
    else this.#keys.delete(node);
  }

  delete(node: N): void {
    this.set(node, new Set());
  }

  /** Who depends on the key. */
  of(key: string): Iterable<N> {
    const present = this.#dependents.get(key);
    if (!present) return [];
    return present instanceof Set ? present : [present.one];
  }

  #drop(key: string, node: N): void {
    const present = this.#dependents.get(key);
    if (present instanceof Set) present.delete(node);
    if (present && (!(present instanceof Set) || present.size === 0)) this.#dependents.delete(key);
  }
}
