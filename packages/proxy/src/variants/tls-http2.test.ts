// The suites of the HTTP/2 core with clients that speak TLS.

import { createAuthority } from "../testing/certificates.ts";
import { variant } from "../testing/variant.ts";

const authority = await createAuthority();
variant.tls = { certificates: [{ hostnames: ["a.test"], ...(await authority.issue("a.test")) }] };
await import("../http2/client.test.ts");
await import("../http2/grpc.test.ts");
await import("../http2/streaming.test.ts");
await import("../policies/over-http2.test.ts");
await import("../http2/protocol.test.ts");
await import("../http2/request-refusals.test.ts");
await import("../http2/early-answers.test.ts");
await import("../http2/abuse.test.ts");
await import("../http2/not-abuse.test.ts");
await import("../http2/memory.test.ts");
