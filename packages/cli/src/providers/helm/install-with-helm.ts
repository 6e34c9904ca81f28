// The step "install the gateway" of real clusters: Helm, with what its pods wait for said meanwhile and in the failure.

import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { daemonSets } from "@gatehouse/apimachinery/types/apps-v1";
import { pods } from "@gatehouse/apimachinery/types/core-v1";
import type { Step } from "../../progress.ts";
import { lastWords } from "../../steps/last-words.ts";
import { reportPods } from "../../steps/pod-progress.ts";
import { whyTraefikWaits } from "../../steps/traefik-needs.ts";
import { explainUnready, unreadyObjects } from "../../steps/unready.ts";
import { UserError } from "../../user-error.ts";
import { installRelease, type ReleaseOptions } from "./traefik-release.ts";

const namespace = "traefik";
const name = "traefik";
const answerTimeoutMs = 5_000;

/** After a failure nobody waits long for an API server that may be gone. */
async function soon(): Promise<{ items: [] }> {
  await delay(answerTimeoutMs, undefined, { ref: false });
  return { items: [] };
}

/** Throws a UserError with helm's words and, when pods kept it waiting, theirs. */
export async function installWithHelm(client: ApiClient, options: ReleaseOptions, step: Step): Promise<void> {
  const stop = reportPods(client, [namespace], step);
  try {
    await installRelease(options, step);
  } catch (error) {
    const { items } = await Promise.race([client.list(pods, { namespace }), soon()]).catch(() => ({ items: [] }));
    const unready = unreadyObjects(items.map((pod) => ({ ...pod, kind: "Pod" })));
    if (!(error instanceof UserError) || unready.length === 0) throw error;
    const lines = [error.message, `not ready: ${explainUnready(unready)}`, ...(await lastWords(client, [namespace]))];
    throw new UserError(lines.join("\n"), error.exitCode, { cause: error });
  } finally {
    stop();
  }
  const why = await whyTraefikWaits(client, await installedTraefik(client));
  if (why) throw new UserError(`${why}: run it again with --gateway-api v1.6.1, or without --chart (Traefik 3.6)`);
}

/** Its version by the image's tag; empty when that is none, or cannot be seen. */
async function installedTraefik(client: ApiClient): Promise<string> {
  const { items } = await client.list(daemonSets, { namespace }).catch(() => ({ items: [] }));
  const workload = items.find(({ metadata }) => metadata.name === name);
  const image = workload?.spec.template.spec.containers[0]?.image ?? "";
  return /:([^:/@]+)(?:@|$)/.exec(image)?.[1] ?? "";
}
