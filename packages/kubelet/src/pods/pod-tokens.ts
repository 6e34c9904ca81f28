// ServiceAccount tokens of one pod (TokenRequest, bound to the pod), renewed at four fifths of their life.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { type Pod, serviceAccounts } from "@gatehouse/apimachinery/types/core-v1";
import { resourcePath } from "@gatehouse/apimachinery/resource-type";
import type { TokenProjection } from "../volumes/volume-payload.ts";

export interface PodTokens {
  /** Fetches the token unless it is there. Rejects with the API server's StatusError. */
  ensure(request: TokenProjection): Promise<void>;
  /** The present token; empty before `ensure`. */
  current(request: TokenProjection): string;
  stop(): void;
}

interface TokenReview {
  status?: { token?: string; expirationTimestamp?: string };
}

// What Kubernetes' own projected volumes ask for: an hour and a little more.
const defaultExpirationSeconds = 3607;
const renewAtShare = 0.8;
const renewRetryMs = 10_000;

/** `onRenewed` is called after each renewal; `onError` for failed ones, which are tried again. */
export function createPodTokens(
  client: ApiClient,
  pod: Pod,
  onRenewed: () => void,
  onError: (error: unknown) => void,
): PodTokens {
  const tokens = new Map<string, { token: string; timer: NodeJS.Timeout }>();
  let stopped = false;
  const keyOf = ({ audience = "", expirationSeconds = defaultExpirationSeconds }: TokenProjection): string =>
    `${expirationSeconds} ${audience}`;

  const renewAfter = (request: TokenProjection, milliseconds: number): NodeJS.Timeout =>
    setTimeout(() => {
      fetch(request).then(onRenewed, (error: unknown) => {
        onError(error);
        const present = tokens.get(keyOf(request));
        if (present && !stopped) present.timer = renewAfter(request, renewRetryMs);
      });
    }, milliseconds).unref();

  const fetch = async (request: TokenProjection): Promise<void> => {
    const status = (await requestToken(client, pod, request)).status;
    const lifeMs = Date.parse(status?.expirationTimestamp ?? "") - Date.now();
    if (stopped) return;
    const renewMs = Math.max(1_000, (Number.isNaN(lifeMs) ? defaultExpirationSeconds * 1000 : lifeMs) * renewAtShare);
    tokens.set(keyOf(request), {
      token: status?.token ?? "",
      timer: renewAfter(request, Math.min(renewMs, 2 ** 31 - 1)),
    });
  };

  return {
    ensure: async (request) => {
      if (!tokens.has(keyOf(request))) await fetch(request);
    },
    current: (request) => tokens.get(keyOf(request))?.token ?? "",
    stop: () => {
      stopped = true;
      for (const { timer } of tokens.values()) clearTimeout(timer);
    },
  };
}

function requestToken(client: ApiClient, pod: Pod, request: TokenProjection): Promise<TokenReview> {
  const { name, namespace, uid } = pod.metadata;
  return client.json<TokenReview>({
    method: "POST",
    path: resourcePath(serviceAccounts, namespace, pod.spec.serviceAccountName ?? "default", "token"),
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        audiences: request.audience ? [request.audience] : [],
        expirationSeconds: request.expirationSeconds ?? defaultExpirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    }),
  });
}
