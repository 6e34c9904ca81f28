// Waiting for a server to answer.

import { request } from "node:http";
import type { Started } from "./stage.ts";

/** Resolves with the first answer of `http://127.0.0.1:port/`; rejects with what the program printed when it ends before. */
export async function untilAnswers(name: string, started: Started, port: number): Promise<void> {
  let ended = false;
  void started.ended.then(() => (ended = true));
  const deadline = performance.now() + 120_000;
  while (!(await answers(port))) {
    if (ended) throw new Error(`${name} does not start: ${started.output().slice(-2000)}`);
    if (performance.now() > deadline) throw new Error(`${name} does not answer on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { host: "host-0.bench.test", connection: "close" };
    request({ host: "127.0.0.1", port, headers, agent: false, timeout: 5000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .once("error", () => resolve(false))
      .end();
  });
}
