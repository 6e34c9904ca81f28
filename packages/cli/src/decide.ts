// Yes-or-no questions before something that cannot be undone: answered by an option, by a person at a terminal, or no.

import { createInterface } from "node:readline/promises";

export type Decide = (question: string) => Promise<boolean>;

/** Asks on standard error, so that what is printed as data stays data. Where nobody can answer: no. */
export const askAtTerminal: Decide = async (question) => {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`\n   ${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
};
