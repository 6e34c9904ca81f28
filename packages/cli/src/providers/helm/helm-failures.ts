// What helm (3.13 and newer, and 4) says when it fails, and what to do then. The first pattern that fits counts.

import type { KnownFailure } from "../../tools/run-program.ts";

export const helmFailures: KnownFailure[] = [
  {
    pattern: /context "[^"]*" does not exist/i,
    remedy: "the kubeconfig has no such context: kubectl config get-contexts lists them",
  },
  {
    pattern: /kubernetes cluster unreachable/i,
    remedy: "the cluster does not answer: see whether it runs and whether the context is the right one",
  },
  {
    pattern:
      /path "[^"]*" not found|chart "[^"]*" .*not found|no chart (name|version) found|repo \S+ not found|\.tgz : 404/i,
    remedy: "there is no such chart: give --chart FOLDER, FILE or VERSION, or leave it out for the pinned one",
  },
  {
    pattern:
      /is not a valid chart repository or cannot be reached|failed to perform "FetchReference"|failed to (fetch|download)|no such host|i\/o timeout|proxyconnect|TLS handshake timeout/i,
    remedy:
      "the chart's repository cannot be reached: check network and proxy (gatehouse doctor), or download the chart elsewhere and give --chart FILE",
  },
  {
    pattern: /another operation \(install\/upgrade\/rollback\) is in progress/i,
    remedy: "another helm is at work on this release: wait for it, then run it again",
  },
  {
    pattern: /invalid ownership metadata|cannot be imported into the current release/i,
    remedy:
      "an object of the chart is there already and belongs to somebody else (another Traefik?): remove it, or use a cluster without one",
  },
  {
    pattern: /conflict occurred while applying|Apply failed with \d+ conflict/i,
    remedy:
      "somebody changed the release's objects by hand: undo that change (the lines above name the field), then run it again",
  },
  {
    pattern: /values don't meet the specifications of the schema/i,
    remedy:
      "the chart refuses a value of manifests/traefik-values.yaml: use a chart of the 39 line, or correct the file",
  },
  {
    pattern: /is forbidden: User/i,
    remedy: "this user may not install it: ask for cluster-admin on this cluster",
  },
  {
    pattern: /no matches for kind "([^"]+)"/i,
    remedy: ([, kind = ""]) => `the cluster does not serve the kind ${kind}, which the chart needs: use another chart`,
  },
  {
    pattern: /unknown flag: --/i,
    remedy: "this helm is too old: 3.13 or newer is needed (gatehouse doctor)",
  },
  {
    pattern: /timed out waiting for the condition|context deadline exceeded|resource \S+ not ready/i,
    remedy:
      "the pods did not become ready in time: kubectl get pods,events -n traefik says why (an image that cannot be pulled, ports taken, no load balancer); mend it and run it again",
  },
];
