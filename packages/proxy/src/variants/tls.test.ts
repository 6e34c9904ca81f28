// The suites of the HTTP/1.1 core with clients that speak TLS.

import { createAuthority } from "../testing/certificates.ts";
import { variant } from "../testing/variant.ts";

const authority = await createAuthority();
variant.tls = { certificates: [{ hostnames: ["a.test"], ...(await authority.issue("a.test")) }] };
await import("../http1/request-refusals.test.ts");
await import("../smuggling.test.ts");
await import("../forwarding.test.ts");
await import("../connections.test.ts");
await import("../held-back.test.ts");
await import("../faults.test.ts");
await import("../streaming.test.ts");
await import("../resilience.test.ts");
await import("../table-swap.test.ts");
