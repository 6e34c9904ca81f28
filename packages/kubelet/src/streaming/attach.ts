// `kubectl attach`: what a running container writes from now on, and its standard input if it has one.

import type { Readable, Writable } from "node:stream";
import type { RunningInstance } from "../pods/container-runner.ts";
import type { RemoteSession } from "./remote-session.ts";

/** A client this far behind is let go: the container and its log must not wait for it. */
const maxBehindBytes = 4 * 1024 * 1024;

/** Resolves when the container has ended or the client is gone. */
export async function runAttach(session: RemoteSession, instance: RunningInstance): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<string | undefined>();
  const detach = [
    forward(instance.stdout, session.stdout, resolve),
    forward(instance.stderr, session.stderr, resolve),
    feed(session.stdin, instance.stdin),
  ];
  session.signal.addEventListener("abort", () => resolve(undefined), { once: true });
  if (session.signal.aborted) resolve(undefined);
  void instance.exited.then(() => setImmediate(resolve, undefined));
  const problem = await over;
  for (const stop of detach) stop();
  session.finish(problem === undefined ? { exitCode: 0 } : { error: problem });
}

/** A listener beside the log's: the log decides when the container waits. */
function forward(
  source: Readable | undefined,
  target: Writable | undefined,
  giveUp: (problem: string) => void,
): () => void {
  if (!source || !target) return () => {};
  const listener = (chunk: Buffer): void => {
    if (!target.destroyed) target.write(chunk);
    if (target.writableLength > maxBehindBytes) giveUp("the client reads too slowly");
  };
  source.on("data", listener);
  return () => source.off("data", listener);
}

function feed(source: Readable | undefined, target: Writable | undefined): () => void {
  if (!source || !target) return () => {};
  // The next client may go on where this one stopped (`stdinOnce` is not known here).
  source.pipe(target, { end: false });
  return () => source.unpipe(target);
}
