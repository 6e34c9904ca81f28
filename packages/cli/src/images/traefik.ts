// The built-in image `traefik`: the gateway with its dashboard, started by the kubelet like any container.

import { runGateway } from "@gatehouse/gateway/main";
import { dashboardDirectory, proxyWorkerProgram } from "../program-files.ts";
import { version } from "../version.ts";

await runGateway(process.argv.slice(2), {
  dashboardDirectory: dashboardDirectory(),
  version,
  workerProgram: proxyWorkerProgram(),
});
