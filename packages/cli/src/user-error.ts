// Failures that are the user's to mend: printed as one line with the remedy, without a stack.

/** `message` says what is wrong, where, and what to do. Exit code 1, or 2 for a wrong command line. */
export class UserError extends Error {
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.name = "UserError";
    this.exitCode = exitCode;
  }
}
