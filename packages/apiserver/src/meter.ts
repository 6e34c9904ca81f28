// Bounds the work of expressions: every step is paid for, in units close to those of Kubernetes (about one for each operation,
// one for each ten characters looked at). No clock is involved, so the same write always gets the same answer.

/** Units one expression may spend on one value (PerCallLimit of Kubernetes). */
export const costPerExpression = 1_000_000;
/** Units all rules of one write may spend together (RuntimeCELCostBudget of Kubernetes). */
export const costPerWrite = 10_000_000;

/** Thrown through every operator, `||` and macros included: the evaluation is over. */
export class CostExceeded extends Error {
  constructor() {
    super("operation cancelled: actual cost limit exceeded");
    this.name = "CostExceeded";
  }
}

export class Meter {
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  get left(): number {
    return this.#left;
  }

  /** Takes `units`. Throws CostExceeded when they are not there. */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new CostExceeded();
  }

  /** Takes what looking at `length` characters costs. */
  spendText(length: number): void {
    this.spend(Math.ceil(length / 10));
  }
}
