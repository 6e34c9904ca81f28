// The suites of the HTTP/1.1 core over the documented sockets of node:net, on both sides, and those of TLS.

import { BEST_IO } from "../io/network.ts";
import { variant } from "../testing/variant.ts";

// Where nothing better is found they have run so already.
if (BEST_IO !== "sockets") {
  variant.io = "sockets";
  await import("../http1/request-refusals.test.ts");
  await import("../smuggling.test.ts");
  await import("../forwarding.test.ts");
  await import("../connections.test.ts");
  await import("../held-back.test.ts");
  await import("../early-answers.test.ts");
  await import("../cut-off.test.ts");
  await import("../faults.test.ts");
  await import("../streaming.test.ts");
  await import("../resilience.test.ts");
  await import("../table-swap.test.ts");
  await import("../http2/client.test.ts");
  await import("../connection-intake.test.ts");
  await import("../tls/terminator.test.ts");
  await import("../streams/tls-streams.test.ts");
  await import("../http2/protocol.test.ts");
  await import("../http2/streaming.test.ts");
  await import("../http2/early-answers.test.ts");
}
