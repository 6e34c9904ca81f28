// The line between a container process and its kubelet: an inherited pipe on which the process says that it listens,
// and whose end tells it that the kubelet is gone, so that no pod outlives its cluster.

import { podEnvironment } from "./pod-environment.ts";

export interface ContainerControl {
  /** Says that every port is open: the kubelet counts the container as started from here on. */
  listening(): void;
}

/** The line that `listening` writes. */
export const listeningLine = "listening\n";

/**
 * Opens the channel and names the process for `ps`. Call it once, early. When the kubelet dies, `onOrphaned` runs
 * (by default the process exits with 0 at once). Outside a kubelet all of this does nothing.
 */
export function openContainerControl(onOrphaned: () => void = () => process.exit(0)): ContainerControl {
  const descriptor = Number(process.env[podEnvironment.control] ?? "");
  if (!Number.isInteger(descriptor) || descriptor < 3) return { listening: () => {} };
  // The kubelet gives a readable argv[0] (`whoami demo/whoami-v1-x`); as title it replaces the long command line.
  process.title = process.argv0;
  // Not imported: importing node:net as a module evaluates each of its exports, which costs start-up time.
  const { Socket } = process.getBuiltinModule("node:net");
  const channel = new Socket({ fd: descriptor, readable: true, writable: true });
  channel.on("error", () => {});
  channel.on("close", onOrphaned);
  channel.resume();
  // A program that has run to its end must not be held up by the channel.
  channel.unref();
  return { listening: () => void channel.write(listeningLine) };
}
