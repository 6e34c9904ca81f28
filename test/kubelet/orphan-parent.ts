// Starts a whoami container and prints where it listens; a test then kills this process.

import { join } from "node:path";
import { podEnvironment } from "@gatehouse/apimachinery/pod-environment";
import { createImageCatalog } from "@gatehouse/kubelet/images/catalog";
import { createLogFile } from "@gatehouse/kubelet/logs/log-file";
import { freePort } from "@gatehouse/kubelet/network/bind-probe";
import { startContainerProcess } from "@gatehouse/kubelet/pods/container-process";

const directory = process.argv[2] ?? "";
const port = await freePort("127.0.0.1");
const container = startContainerProcess({
  argv: createImageCatalog().resolve("traefik/whoami")?.entry ?? [],
  title: "whoami orphan",
  directory,
  environment: { [podEnvironment.listen]: JSON.stringify({ "80/tcp": [{ host: "127.0.0.1", port }] }) },
  log: createLogFile({ path: join(directory, "orphan.log"), maxBytes: 1e6 }),
});
await container.listening;
console.log(`127.0.0.1 ${port}`);
