// For tests: the official definitions of each bundle, as oracle. GATEHOUSE_GATEWAY_API_DIR names a folder with
// <version>/<channel>/*.yaml; the default is ../shared/gateway-api beside the repository.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { parse } from "yaml";
import { type Bundle, BUNDLE_VERSIONS, CHANNELS } from "./bundle.ts";

const officialFolder =
  process.env.GATEHOUSE_GATEWAY_API_DIR ?? fileURLToPath(new URL("../../../../shared/gateway-api", import.meta.url));

export const bundles: Bundle[] = BUNDLE_VERSIONS.flatMap((version) =>
  CHANNELS.map((channel) => ({ version, channel })),
);

/** A reason to skip when the folder is not there, and the definitions of its files. */
export function officialDefinitions({ version, channel }: Bundle): { skip: string | false; crds: () => KubeObject[] } {
  const folder = join(officialFolder, version, channel);
  return {
    skip: existsSync(folder) ? false : `no official CRDs at ${folder} (set GATEHOUSE_GATEWAY_API_DIR)`,
    crds: () =>
      readdirSync(folder)
        .filter((file) => file.endsWith(".yaml"))
        .map((file) => readFileSync(join(folder, file), "utf8"))
        .filter((text) => /^kind: CustomResourceDefinition$/m.test(text))
        .map((text) => parse(text) as KubeObject),
  };
}
