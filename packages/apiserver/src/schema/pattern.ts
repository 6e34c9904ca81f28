// The `pattern` of schemas: RE2, as in Kubernetes, and in time linear to the text, because anybody who may create a
// CustomResourceDefinition writes such expressions.

import { CostExceeded, costPerWrite, Meter } from "../meter.ts";
import { compileRe2, type Program } from "@gatehouse/re2/program";
import { Re2Tester } from "@gatehouse/re2/tester";

export interface SchemaPattern {
  /** True when the expression matches anywhere in `text`. A text too long for the expression's cost does not match. */
  test(text: string): boolean;
}

const patterns = new WeakMap<Program, SchemaPattern>();
/** Larger expressions come to too many states to remember them. */
const mostTesterSteps = 3_000;

/** The expression, compiled once. Throws SyntaxError when RE2 would refuse it. */
export function compilePattern(source: string): SchemaPattern {
  const program = compileRe2(source);
  let pattern = patterns.get(program);
  if (!pattern) patterns.set(program, (pattern = patternOf(source, program)));
  return pattern;
}

/** Where no text of its length could cost too much nothing has to be counted, and the same answer is had for a tenth. */
function patternOf(source: string, program: Program): SchemaPattern {
  const { length } = program.steps;
  const mostPerCharacter = 1 + length / 2;
  let tester: Re2Tester | undefined;
  return {
    test: (text) => {
      const isCheap = length <= mostTesterSteps && (text.length + 1) * mostPerCharacter <= costPerWrite;
      if (isCheap) return (tester ??= new Re2Tester(source, mostTesterSteps)).test(text);
      return testMetered(program, text);
    },
  };
}

function testMetered(program: Program, text: string): boolean {
  try {
    return program.test(text, new Meter(costPerWrite));
  } catch (error) {
    if (error instanceof CostExceeded) return false;
    throw error;
  }
}
