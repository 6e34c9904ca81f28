// The `pattern` of schemas: RE2, as in Kubernetes, and in time linear to the text, because anybody who may create a
// CustomResourceDefinition writes such expressions.

import { CostExceeded, costPerWrite, Meter } from "../meter.ts";
import { compileRe2 } from "@gatehouse/re2/program";

export interface SchemaPattern {
  /** True when the expression matches anywhere in `text`. A text too long for the expression's cost does not match. */
  test(text: string): boolean;
}

/** The expression, compiled once. Throws SyntaxError when RE2 would refuse it. */
export function compilePattern(source: string): SchemaPattern {
  const program = compileRe2(source);
  return {
    test: (text) => {
      try {
        return program.test(text, new Meter(costPerWrite));
      } catch (error) {
        if (error instanceof CostExceeded) return false;
        throw error;
      }
    },
  };
}
