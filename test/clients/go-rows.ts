// Programs with Kubernetes' Go libraries (go/): client-go, controller-runtime and the Gateway API's clients.

import { type Group, type Row, row } from "./rows.ts";

const program = (name: string, must: string, environment = ""): Row =>
  row(`${environment}clients ${name} $NAMESPACE`, must, /^(?![^]*error:)/);

/** `directory` holds the built program. */
export function goGroups(directory: string): Group[] {
  const environment = { PATH: `${directory}:${process.env.PATH ?? ""}` };
  return [
    {
      client: "client-go 0.37",
      title: "typed, dynamic and cached",
      environment,
      rows: [
        program(
          "typed",
          "protobuf both ways asked for; writes, patches, refusals, pages over a snapshot, scale, foreground deletion",
        ),
        program("dynamic", "a kind nobody compiled: pruning, defaults, status, finalizers, a watch; metadata alone"),
        program("informer", "state and changes by WatchList, selectors left, resync"),
        program("informer", "the same by list and watch", "KUBE_FEATURE_WatchListClient=false "),
        program("expired-watch", "410 for what history no longer holds, and a fresh start"),
        program("leader-election", "one leader by a Lease, the next when it lets go"),
        program("apply", "server-side apply: conflict, force, extract, letting go, status"),
        program("discovery", "aggregated and legacy discovery, RESTMapper, OpenAPI v3 and v2"),
        program("reviews", "TokenRequest, TokenReview, access reviews, impersonation"),
        program("events", "both recorders, repeated events counted"),
      ],
    },
    {
      client: "controller-runtime 0.25",
      title: "operators",
      environment,
      rows: [
        program(
          "manager",
          "leader election, cached client with an index, CreateOrUpdate, owned objects, status, garbage collection",
        ),
        program("envtest", "an existing cluster as envtest's, definitions installed and taken away"),
      ],
    },
    {
      client: "gateway-api Go client 1.4",
      title: "an implementation's skeleton",
      environment,
      rows: [program("gateway-api", "informers, conditions of a new class, status per parent, CEL rules")],
    },
  ];
}
