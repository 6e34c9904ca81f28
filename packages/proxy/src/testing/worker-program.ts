// A worker whose access log has the records themselves, as JSON, with the name of the route.

import { runWorker } from "../workers/run-worker.ts";

runWorker((format) => (out, record, name) => {
  out.addUtf8(`${JSON.stringify({ ...record, name, format })}\n`);
});
