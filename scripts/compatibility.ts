// `npm run compatibility`: runs the clients of test/clients and writes docs/compatibility.md from what came of it.

import { join } from "node:path";
import { root, run } from "./run-tool.ts";

const node = process.execPath;

process.exitCode =
  (await run(node, [join(root, "scripts/build.ts")])) &&
  (await run(node, [
    "--disable-warning=ExperimentalWarning",
    "--test",
    "--test-update-snapshots",
    join(root, "test/clients/compatibility.test.ts"),
  ]))
    ? 0
    : 1;
