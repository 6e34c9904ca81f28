// What a contestant is: a proxy that can be started with a variant of the one task all have.

import type { BackendPorts } from "./backend.ts";
import type { CertificateFiles } from "./certificate.ts";
import type { Stage, Started } from "./stage.ts";

/** What rows vary. */
export interface Variant {
  /** 0: any host is served, over TLS too; else that many hosts, `host-0.bench.test` and on, in plain text alone. */
  hosts: number;
  workers: number;
}

export const standard: Variant = { hosts: 0, workers: 1 };

export interface Ports {
  http: number;
  https: number;
}

export interface Running {
  name: string;
  variant: Variant;
  started: Started;
  ports: Ports;
  accessLog: string;
}

export interface Surroundings {
  stage: Stage;
  backend: BackendPorts;
  /** Undefined when there is no openssl to make one. */
  tls?: CertificateFiles;
}

/** Whom all others are compared with. */
export const oursName = "ours";

export interface Contestant {
  name: string;
  version: string;
  /** Resolves when it answers; rejects with the reason when it cannot run this variant. */
  start(surroundings: Surroundings, variant: Variant): Promise<Running>;
}

export const hostNames = ({ hosts }: Variant): string[] =>
  Array.from({ length: hosts }, (_, index) => `host-${index}.bench.test`);
