// For tests: the official definitions of each bundle, as oracle. GATEHOUSE_GATEWAY_API_DIR names a folder with
// <version>/<channel>/*.yaml; the default is ../shared/gateway-api beside the repository.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { parseAllDocuments } from "yaml";
import { type Bundle, BUNDLE_VERSIONS, CHANNELS } from "./bundle.ts";

const officialFolder =
  process.env.GATEHOUSE_GATEWAY_API_DIR ?? fileURLToPath(new URL("../../../../shared/gateway-api", import.meta.url));

export const bundles: Bundle[] = BUNDLE_VERSIONS.flatMap((version) =>
  CHANNELS.map((channel) => ({ version, channel })),
);

/** A reason to skip when the folder is not there, the definitions of its files, and the admission policies. */
export function officialDefinitions({ version, channel }: Bundle): {
  skip: string | false;
  crds: () => KubeObject[];
  policies: () => KubeObject[];
} {
  const folder = join(officialFolder, version, channel);
  const objects = (isWanted: (kind: string) => boolean): KubeObject[] =>
    readdirSync(folder)
      .filter((file) => file.endsWith(".yaml"))
      .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), "utf8")))
      .map((document) => document.toJS() as KubeObject | null)
      .filter((object) => object !== null)
      .filter(({ kind }) => isWanted(kind));
  return {
    skip: existsSync(folder) ? false : `no official CRDs at ${folder} (set GATEHOUSE_GATEWAY_API_DIR)`,
    crds: () => objects((kind) => kind === "CustomResourceDefinition"),
    policies: () => objects((kind) => kind !== "CustomResourceDefinition"),
  };
}
