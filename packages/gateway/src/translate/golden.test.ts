// Golden tests: each testdata/<rule>.in.yaml is what a user would `kubectl apply`, <rule>.out.yaml the routing table and
// the statuses that follow. UPDATE_GOLDENS=1 rewrites the outputs, which then are to be reviewed against the spec.
// A ConfigMap `translate-options` stands for the gateway's surroundings: `addresses` (CIDR, or "" for none),
// `controllerName`, and `problems` (JSON: proxy listener -> why it could not be opened).

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type KubeObject, objectKey } from "@gatehouse/apimachinery/meta";
import { parseAllDocuments, stringify } from "yaml";
import { assignAddresses, parseAddressPool } from "../gateway-addresses.ts";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { GatewayObjects } from "./gateway-objects.ts";
import { withStatus } from "./statuses.ts";
import { translate, type Translation } from "./translate.ts";
import type { TranslateOptions } from "./translate-options.ts";

const directory = join(import.meta.dirname, "testdata");
const now = "<now>";

for (const file of readdirSync(directory)
  .filter((name) => name.endsWith(".in.yaml"))
  .sort()) {
  const name = file.replace(".in.yaml", "");
  test(name, () => {
    const objects = readObjects(join(directory, file));
    const before = JSON.stringify(objects);
    const output = render(translate(pick(objects), optionsFor(objects)));
    assert.equal(JSON.stringify(objects), before, "the input was changed");
    const expectedPath = join(directory, `${name}.out.yaml`);
    if (process.env.UPDATE_GOLDENS)
      writeFileSync(expectedPath, stringify(output, { lineWidth: 0, aliasDuplicateObjects: false }));
    const [expected] = parseAllDocuments(readFileSync(expectedPath, "utf8"));
    assert.deepEqual(JSON.parse(JSON.stringify(output)), expected?.toJSON());
  });
}

function readObjects(path: string): KubeObject[] {
  return parseAllDocuments(readFileSync(path, "utf8")).map((document) => document.toJSON() as KubeObject);
}

/** What the API server would have filled in, as far as it matters here. */
function pick(objects: readonly KubeObject[]): GatewayObjects {
  const ofKind = (kind: string) => objects.filter((object) => object.kind === kind) as never[];
  return {
    gatewayClasses: ofKind("GatewayClass"),
    gateways: ofKind("Gateway"),
    httpRoutes: ofKind("HTTPRoute"),
    referenceGrants: ofKind("ReferenceGrant"),
    services: ofKind("Service"),
    endpointSlices: ofKind("EndpointSlice"),
    namespaces: ofKind("Namespace"),
    secrets: ofKind("Secret"),
  };
}

function optionsFor(objects: readonly KubeObject[]): TranslateOptions {
  const given = objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === "translate-options");
  const data = (given?.data ?? {}) as Record<string, string>;
  const cidr = data.addresses ?? "127.30.224.0/19";
  const pool = cidr === "" ? undefined : parseAddressPool(cidr);
  const gateways = objects.filter(({ kind }) => kind === "Gateway") as Gateway[];
  const assignments = assignAddresses(gateways, pool, [{ type: "IPAddress", value: "127.30.1.4" }]);
  return {
    controllerName: "traefik.io/gateway-controller",
    entryPoints: [
      { name: "web", port: 8000, addresses: [{ host: "127.30.1.4", port: 8000 }] },
      { name: "websecure", port: 8443, addresses: [{ host: "127.30.1.4", port: 8443 }] },
    ],
    reservedPorts: new Map([[9000, "traefik"]]),
    addressFor: (gateway) => assignments.get(objectKey(gateway)) ?? { addresses: [], hosts: [] },
    ownAddresses: pool !== undefined,
    listenerProblems: new Map(Object.entries(JSON.parse(data.problems ?? "{}") as Record<string, string>)),
  };
}

function render({ table, statuses }: Translation) {
  return {
    table,
    statuses: statuses.flatMap((update) => {
      const written = withStatus(update, update.object, now);
      return written ? [{ [`${update.kind} ${objectKey(update.object)}`]: written.status }] : [];
    }),
  };
}
