// One of several processes that carry a gateway's traffic: it makes the access log's lines itself.

import { runWorker } from "@gatehouse/proxy/workers/run-worker";
import { addAccessLine } from "./access-log.ts";
import type { AccessLogConfiguration } from "./static-configuration.ts";

runWorker((format) => {
  const configuration = format as AccessLogConfiguration;
  return (out, record, router) => addAccessLine(out, record, configuration, router);
});
