// What the API server knows about one kind: names, schema, columns, subresources and the rules of its writes.
// Built-in kinds are listed in code (kinds/*.ts), custom ones are made from CustomResourceDefinitions; the verbs treat both alike.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import type { Schema } from "@gatehouse/apimachinery/schema";
import type { StoredForms } from "./crd/stored-form.ts";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";

export interface ResourceDefinition {
  type: ResourceType;
  singular: string;
  shortNames: string[];
  categories: string[];
  /** Structural schema: drives validation, defaulting, pruning, strategic merge keys, list types, OpenAPI and `kubectl explain`. */
  schema: Schema;
  columns: PrinterColumn[];
  subresources: {
    status?: boolean;
    /** Simple dotted paths, e.g. `.spec.replicas`. */
    scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string };
  };
  /** Verbs that are refused with 405 although the kind is served (e.g. reviews only take `create`). Default: all. */
  verbs?: Verb[];
  /** Field selectors beyond metadata.name and metadata.namespace: label to value, e.g. `spec.nodeName`. */
  selectableFields?: Record<string, (object: KubeObject) => string>;
  strategy: WriteStrategy;
  /** Of kinds that a CustomResourceDefinition brought. */
  custom?: {
    /** What is shown of stored objects. */
    forms: StoredForms;
    /** Said with every answer: the version is on its way out. */
    deprecation?: string;
  };
}

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

/** Kind-specific rules of a write, all optional and pure: they change `object` in place and report causes. */
export interface WriteStrategy {
  /** Defaults that depend on other fields. They belong to the writer as those of the schema do, unlike all that comes after. */
  complete?: (object: KubeObject, old: KubeObject | undefined) => void;
  /** What the server decides, after defaulting and before validation. */
  prepareForCreate?: (object: KubeObject, context: WriteContext) => void;
  prepareForUpdate?: (object: KubeObject, old: KubeObject, context: WriteContext) => void;
  /** True for a kind whose writers say its state as they make it, although it has a status subresource. */
  keepsStatus?: boolean;
  validate?: (object: KubeObject, old: KubeObject | undefined) => StatusCause[];
  /** Messages sent as Warning headers, e.g. for what is stored but has no effect here. */
  warnings?: (object: KubeObject) => string[];
  /** Seconds of grace a delete gets when the caller names none (pods); absent: none. */
  defaultGracePeriodSeconds?: (object: KubeObject) => number;
}

/** What a strategy may ask of the server: allocations that must be unique across objects. */
export interface WriteContext {
  allocateClusterIP(wanted?: string): string;
  /** `index` is the port's place in `spec.ports`, for what is said of a refusal. */
  allocateNodePort(index: number, wanted?: number): number;
}

/** One column of `kubectl get`. `cell` returns a string, a number, a boolean, or null for `<none>`-like absence. */
export interface PrinterColumn {
  name: string;
  type: "string" | "integer" | "number" | "boolean" | "date";
  format?: string;
  description: string;
  /** 0 = always shown, 1 = with `-o wide`. */
  priority: number;
  cell: (object: KubeObject) => unknown;
}
