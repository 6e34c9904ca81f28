// The suites of the HTTP cores with clients that speak TLS, over the documented sockets of node:net and node:tls.

import { BEST_IO } from "../io/network.ts";
import { createAuthority } from "../testing/certificates.ts";
import { variant } from "../testing/variant.ts";

// Where nothing better is found they have run so already.
if (BEST_IO !== "sockets") {
  const authority = await createAuthority();
  variant.io = "sockets";
  variant.tls = { certificates: [{ hostnames: ["a.test"], ...(await authority.issue("a.test")) }] };
  await import("../forwarding.test.ts");
  await import("../connections.test.ts");
  await import("../early-answers.test.ts");
  await import("../cut-off.test.ts");
  await import("../faults.test.ts");
  await import("../streaming.test.ts");
  await import("../http2/client.test.ts");
  await import("../http2/early-answers.test.ts");
  await import("../http2/abuse.test.ts");
}
