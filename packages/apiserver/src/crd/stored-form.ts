// What the definitions of today make of an object that was stored under those of its day (apiextensions: pruning and defaulting
// happen when an object is read from etcd, too): fields that went are gone, defaults that came are there.

import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { applyDefaults } from "../schema/default.ts";
import { pruneUnknown } from "../schema/prune.ts";

/** The forms of stored objects under the schemas of one served version, each made once. */
export class StoredForms {
  readonly #stored: Schema;
  readonly #served: Schema;
  readonly #forms = new WeakMap<KubeObject, KubeObject>();

  /** `stored`: of the version objects are stored in; `served`: of the version they are shown in. */
  constructor(stored: Schema, served: Schema) {
    this.#stored = stored;
    this.#served = served;
  }

  /** `object` as it is shown, but for its apiVersion: itself when it already fits. */
  of(object: KubeObject): KubeObject {
    let form = this.#forms.get(object);
    if (!form) this.#forms.set(object, (form = this.#make(object)));
    return form;
  }

  /** `object` was just admitted under the served schema: nothing to do when it is stored by the same. */
  admitted(object: KubeObject): void {
    if (this.#stored === this.#served) this.#forms.set(object, object);
  }

  #make(object: KubeObject): KubeObject {
    const form = structuredClone(object);
    pruneUnknown(this.#stored, form);
    applyDefaults(this.#stored, form);
    if (this.#stored !== this.#served) pruneUnknown(this.#served, form);
    return isDeepStrictEqual(form, object) ? object : form;
  }
}
