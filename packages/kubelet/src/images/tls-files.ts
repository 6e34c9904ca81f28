// The certificate a pod's variables name, read from its volumes.

import { readFileSync } from "node:fs";
import { mountedPath } from "@gatehouse/apimachinery/pod-environment";
import { printError } from "./container-main.ts";
import type { TlsFiles } from "./stream-server.ts";

/** Undefined unless both paths are given. Exits with 1 and a line on standard error when a file cannot be read. */
export function readTlsFiles(certificate = "", key = "", authorities = ""): TlsFiles | undefined {
  if (certificate === "" || key === "") return undefined;
  try {
    const asking = { requestCert: true, rejectUnauthorized: false };
    const read = (path: string): Buffer => readFileSync(mountedPath(path));
    return { cert: read(certificate), key: read(key), ...(authorities ? { ca: read(authorities), ...asking } : {}) };
  } catch (error) {
    printError(`Failed to start listening: ${(error as Error).message}`);
    process.exit(1);
  }
}
