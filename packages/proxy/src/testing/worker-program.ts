// A worker whose access log has the records themselves, as JSON, with the name of the route.

import { runWorker } from "../workers/run-worker.ts";

runWorker((format) => (record, nameOf) => {
  const name = nameOf(record.listener, record.route);
  return `${JSON.stringify({ ...record, name, format })}\n`;
});
