// Failures that are the user's to mend: printed as one line with the remedy, without a stack.

/**
 * `message` says what is wrong, where, and what to do. Exit code 1, 2 for a wrong command line, or 128 + the signal's number
 * when the user interrupted.
 */
export class UserError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options);
    this.name = "UserError";
    this.exitCode = exitCode;
  }
}
