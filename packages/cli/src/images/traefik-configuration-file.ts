// Traefik's configuration files on the host: one of them would be read instead of all flags (traefik: pkg/cli, FileLoader).

import { existsSync } from "node:fs";

/** The file that Traefik would find wherever it runs; undefined when there is none, as it should be. */
export function hostConfigurationFile(): string | undefined {
  return ["toml", "yaml", "yml"].map((extension) => `/etc/traefik/traefik.${extension}`).find(existsSync);
}
