import assert from "node:assert/strict";
import { test } from "node:test";
import { listenAddresses, mountedPath, podEnvironment, writablePath } from "./pod-environment.ts";

test("a path leads into the closest mount, else into the container's own directory, and never out of them", () => {
  const environment = {
    [podEnvironment.mounts]: JSON.stringify({
      "/data": "/real/data",
      "/data/sub": "/real/sub",
      "/slash/": "/real/slash",
    }),
  };
  const cases: [string, string][] = [
    ["/data", "/real/data"],
    ["/data/x/y", "/real/data/x/y"],
    ["/data/sub/x", "/real/sub/x"],
    ["/data/subway", "/real/data/subway"],
    ["/database", "/pod/c/database"],
    ["/slash/x", "/real/slash/x"],
    ["/etc/hosts", "/pod/c/etc/hosts"],
    ["/data/../../etc/shadow", "/pod/c/etc/shadow"],
    ["/data/sub/../x", "/real/data/x"],
    ["../../etc/shadow", "/pod/c/etc/shadow"],
  ];
  for (const [path, expected] of cases) assert.equal(mountedPath(path, environment, "/pod/c"), expected, path);
  assert.equal(mountedPath("/data", {}), "/data");
});

test("a file may be written in the container's own directory and in writable volumes, not in others", () => {
  const environment = {
    [podEnvironment.mounts]: JSON.stringify({
      "/data": "/real/data",
      "/data/config": "/real/config",
      "/token": "/real/token",
    }),
    [podEnvironment.writableMounts]: JSON.stringify(["/data"]),
  };
  const cases: [string, string | undefined][] = [
    ["/data/log", "/real/data/log"],
    ["/log", "/pod/c/log"],
    ["/token/token", undefined],
    ["/data/../token/token", undefined],
    ["/data/config/x", undefined],
    ["/data/config/../x", "/real/data/x"],
  ];
  for (const [path, expected] of cases) assert.equal(writablePath(path, environment, "/pod/c"), expected, path);
  const { [podEnvironment.writableMounts]: _, ...unsaid } = environment;
  assert.equal(writablePath("/data/log", unsaid, "/pod/c"), undefined);
  assert.equal(writablePath("/data/log", {}), "/data/log");
});

test("ports open where the kubelet says, else on the pod's address", () => {
  const environment = {
    [podEnvironment.podIP]: "127.30.1.4",
    [podEnvironment.listen]: JSON.stringify({ "80/tcp": [{ host: "127.30.1.4", port: 34567 }] }),
  };
  assert.deepEqual(listenAddresses(80, "tcp", environment), [{ host: "127.30.1.4", port: 34567 }]);
  assert.deepEqual(listenAddresses(80, "udp", environment), [{ host: "127.30.1.4", port: 80 }]);
  assert.deepEqual(listenAddresses(90, "tcp", environment), [{ host: "127.30.1.4", port: 90 }]);
  assert.deepEqual(listenAddresses(90, "tcp", {}), [{ host: "127.0.0.1", port: 90 }]);
});
