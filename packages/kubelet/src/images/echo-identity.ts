// Who an echo server says it is: what its pod's variables tell it.

import { printError } from "./container-main.ts";

export interface EchoIdentity {
  namespace: string;
  ingress: string;
  service: string;
  pod: string;
}

export function echoIdentity(environment: NodeJS.ProcessEnv): EchoIdentity {
  return {
    namespace: environment.NAMESPACE ?? "",
    ingress: environment.INGRESS_NAME ?? "",
    service: environment.SERVICE_NAME ?? "",
    pod: environment.POD_NAME ?? "",
  };
}

/** The port a variable names. Exits with 1 and a line on standard error when that is no number. */
export function portOf(environment: NodeJS.ProcessEnv, name: string, byDefault: number): number {
  const text = environment[name];
  if (!text) return byDefault;
  if (/^\d{1,5}$/.test(text)) return Number(text);
  printError(`non-integer value in ${name} '${text}'`);
  process.exit(1);
}
