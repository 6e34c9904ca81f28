// The load that wrk and h2load cannot make, as a program of its own: `node generators/main.ts KIND SETTINGS-AS-JSON`.

import { aborts } from "./aborts.ts";
import { echo } from "./echo.ts";
import { handshakes } from "./handshakes.ts";
import { idle } from "./idle.ts";
import type { Latencies } from "./latencies.ts";
import { paced } from "./paced.ts";

const [kind = "", json = "{}"] = process.argv.slice(2);
const settings = JSON.parse(json);

const kinds: Record<string, () => Promise<Latencies>> = {
  aborts: () => aborts(settings),
  echo: () => echo(settings),
  handshakes: () => handshakes(settings),
  paced: () => paced(settings),
};

if (kind === "idle") {
  const connections = await idle(settings);
  process.stdout.write("open\n");
  process.once("SIGTERM", () => {
    for (const connection of connections) connection.close();
  });
} else {
  const generate = kinds[kind];
  if (!generate) throw new Error(`no generator "${kind}"`);
  const started = performance.now();
  const latencies = await generate();
  const result = latencies.result((performance.now() - started) / 1000);
  // The word is what the bench looks for.
  process.stdout.write(`json ${JSON.stringify(result)}\n`);
}
