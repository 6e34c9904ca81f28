// @kubernetes/client-node: node-client/main.js does what the row names. The library and its sixty
// dependencies are installed there, apart from ours: `npm install --prefix test/clients/node-client`.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../system/test-cluster.ts";
import { type Group, type Row, row } from "./rows.ts";

const place = join(root, "test/clients/node-client");

const program = (name: string, must: string): Row => row(`client-node ${name} $NAMESPACE`, must, /^ok\n$/);

export const nodeClientGroup: Group = {
  client: "@kubernetes/client-node 2",
  title: "typed, generic, watching and streaming",
  // A function, so that the page shows a short command.
  environment: { "BASH_FUNC_client-node%%": `() { "${process.execPath}" "${join(place, "main.js")}" "$@"; }` },
  rows: [
    program("typed", "create, read, replace, patches, list with selectors, delete, refusals with their reason"),
    program("objects", "KubernetesObjectApi: kinds by discovery, create, patch, server-side apply, delete"),
    program("watch", "Watch and the informer: state, changes, a deletion"),
    program("logs", "a pod's log, whole and followed"),
    program("exec", "output and exit code over WebSocket"),
    program("forward", "a pod's port over WebSocket"),
  ],
};

/** Why it cannot run, or false. */
export function nodeClientSkip(): string | false {
  const there = existsSync(join(place, "node_modules/@kubernetes/client-node"));
  return there ? false : "@kubernetes/client-node is not installed in test/clients/node-client";
}
