// The access record of a connection or session that is carried as it is.

import type { AccessRecord } from "../access.ts";

/** As it stands when the connection is accepted. */
export function newStreamRecord(
  listener: string,
  protocol: "tcp" | "tls" | "udp",
  clientAddress: string,
  clientPort: number,
  route: string,
): AccessRecord {
  return {
    time: Date.now(),
    duration: 0,
    listener,
    clientAddress,
    clientPort,
    method: "",
    target: "",
    protocol,
    host: "",
    userAgent: "",
    referer: "",
    status: 0,
    bytes: 0,
    bytesReceived: 0,
    requestCount: 0,
    route,
    service: "",
    endpoint: "",
    endpointName: "",
    retries: 0,
    reason: "",
  };
}
