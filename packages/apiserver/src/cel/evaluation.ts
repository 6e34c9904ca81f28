// What compiling an expression gives, and what one run of it needs.

import type { Meter } from "../meter.ts";
import type { Node } from "./syntax.ts";
import type { Value } from "./values.ts";

/** One evaluation: the variables by slot, and what it may cost. */
export interface Frame {
  slots: Value[];
  meter: Meter;
}

/** Throws CelError when there is no result, CostExceeded when it would cost too much. */
export type Evaluate = (frame: Frame) => Value;

/** Variable names and their slots. */
export type Slots = ReadonlyMap<string, number>;

/** The compiler, for parts that contain others. */
export type Compile = (node: Node, slots: Slots) => Evaluate;
