// `npm run bench -- NAME`: measures one thing side by side and prints medians. Nothing here is a test: figures belong in
// docs/performance.md together with the machine they were taken on.

const benches: Record<string, () => Promise<{ main(args: string[]): Promise<void> }>> = {
  boot: () => import("../test/bench/boot.ts"),
  api: () => import("../test/bench/api.ts"),
  changes: () => import("../test/bench/changes.ts"),
  proxy: () => import("../test/bench/proxy/main.ts"),
  routes: () => import("../test/bench/routes/main.ts"),
  translation: () => import("../test/bench/translation.ts"),
};

const [name = "", ...args] = process.argv.slice(2);
const load = benches[name];
if (!load) {
  process.stderr.write(`error: which bench? npm run bench -- ${Object.keys(benches).join(" | ")}\n`);
  process.exitCode = 2;
} else {
  const bench = await load();
  await bench.main(args);
}
