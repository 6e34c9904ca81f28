// An esbuild plugin that takes Node's own modules without their ES module facade. `import { request } from "node:http"`
// evaluates every getter of the module, among them the one that loads the whole of undici for WebSocket: 20 ms and 14 MiB
// in each process. What is imported here is exactly the names the code uses.

import type { Plugin } from "esbuild";

export const builtinModules: Plugin = {
  name: "builtin-modules",
  setup: (build) => {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "import-statement" ? { path, namespace: "builtin", sideEffects: false } : { path, external: true },
    );
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({ contents: facadeOf(path), loader: "js" }));
  },
};

/** Each name is taken in a call marked pure, so that the bundler drops the ones nobody imports. */
function facadeOf(name: string): string {
  const names = Object.keys(process.getBuiltinModule(name) ?? {}).filter(
    (key) => /^[A-Za-z_$][\w$]*$/.test(key) && key !== "default",
  );
  return [
    `const module = /* @__PURE__ */ process.getBuiltinModule(${JSON.stringify(name)});`,
    "export default module;",
    ...names.map((key) => `const _${key} = /* @__PURE__ */ (() => module.${key})(); export { _${key} as ${key} };`),
  ].join("\n");
}
