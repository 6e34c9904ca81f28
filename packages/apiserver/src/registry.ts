// Which resources are served right now: built-in kinds from the start, custom ones as their definitions come and go.

import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import type { ResourceDefinition } from "./resource-definition.ts";

/** Where objects of a resource are kept, whatever version they are served in: `group/plural`. */
export function storageOf(definition: ResourceDefinition): string {
  return `${definition.type.group}/${definition.type.plural}`;
}

/** The live set of served resources. */
export class Registry {
  /** Counts changes, so that discovery and OpenAPI documents can be cached until it moves. */
  generation = 0;
  readonly #byKey = new Map<string, ResourceDefinition>();
  readonly #customBySource = new Map<string, ResourceDefinition[]>();
  readonly #custom = new Set<ResourceDefinition>();

  constructor(builtIn: ResourceDefinition[]) {
    for (const definition of builtIn) this.#byKey.set(keyOf(definition), definition);
  }

  get(group: string, version: string, plural: string): ResourceDefinition | undefined {
    return this.#byKey.get(`${group}/${version}/${plural}`);
  }

  /** Every served definition, built-in ones first, each in the order of registration. */
  definitions(): ResourceDefinition[] {
    return [...this.#byKey.values()];
  }

  /** The definition of a kind, by `apiVersion` and `kind`. */
  byKind(apiVersion: string, kind: string): ResourceDefinition | undefined {
    return this.definitions().find(({ type }) => type.kind === kind && apiVersionOf(type) === apiVersion);
  }

  /** True for resources that a CustomResourceDefinition brought. */
  isCustom(definition: ResourceDefinition): boolean {
    return this.#custom.has(definition);
  }

  /** Serves what the CustomResourceDefinition `source` defines, in place of what it defined before. */
  setCustom(source: string, definitions: ResourceDefinition[]): void {
    this.#forget(source);
    this.#customBySource.set(source, definitions);
    for (const definition of definitions) {
      this.#byKey.set(keyOf(definition), definition);
      this.#custom.add(definition);
    }
    this.generation++;
  }

  removeCustom(source: string): void {
    if (!this.#forget(source)) return;
    this.generation++;
  }

  customOf(source: string): ResourceDefinition[] {
    return this.#customBySource.get(source) ?? [];
  }

  #forget(source: string): boolean {
    const definitions = this.#customBySource.get(source);
    if (!definitions) return false;
    for (const definition of definitions) {
      this.#byKey.delete(keyOf(definition));
      this.#custom.delete(definition);
    }
    return this.#customBySource.delete(source);
  }
}

const keyOf = ({ type }: ResourceDefinition): string => `${type.group}/${type.version}/${type.plural}`;
