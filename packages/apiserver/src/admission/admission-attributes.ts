// One write as admission policies see it.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Identity } from "../auth/identity.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import type { Operation } from "./policy-types.ts";

export interface AdmissionAttributes {
  definition: ResourceDefinition;
  operation: Operation;
  /** Empty for the object itself. */
  subresource: string;
  identity: Identity;
  /** Of namespaced objects; a Namespace counts as inside itself. */
  namespace: string | undefined;
  name: string;
  /** What will be stored; absent for deletions. */
  object: KubeObject | undefined;
  /** What is stored now; absent for creations. */
  old: KubeObject | undefined;
  /** Of the object, where a subresource has a kind of its own (Scale). */
  kind?: { group: string; version: string; kind: string };
  /** The options of the request, e.g. a CreateOptions. */
  options: Record<string, unknown>;
  dryRun: boolean;
  /** Policies that warn add to it. */
  warnings: string[];
}
