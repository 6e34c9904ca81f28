// What the translation of single filters is given, and what it gives back.

import type { Filter, RouteMatch } from "@gatehouse/proxy/routing-table";
import type { Traffic } from "./backends.ts";
import type { References } from "./references.ts";

/** What a list of filters comes to. */
export interface TranslatedFilters {
  filters: Filter[];
  /** Why no request may pass: a filter that decides about requests cannot be asked. */
  refusal?: string;
}

/** Where filters stand. */
export interface FilterContext {
  /** E.g. `rules[0].filters`. */
  field: string;
  /** The part of `field` within the rule, e.g. `filters`. */
  inRule: string;
  /** The rule's. */
  matches: readonly RouteMatch[];
  references: References;
  traffic: Extract<Traffic, "http" | "grpc">;
}
