// Which Gateway API the cluster has: kinds and versions by discovery, release and channel by the annotations of the
// definitions. Followed while it changes: definitions may come, go and be replaced at any time.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { createInformer } from "@gatehouse/apimachinery/informer";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { metadataClient } from "@gatehouse/apimachinery/metadata-client";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { experimentalGroup, gatewayGroup } from "./gateway-resources.ts";
import type { GatewayApi } from "./translate/translate-options.ts";

export interface GatewayApiDiscovery {
  /** What was found last; the same object until something else is found. */
  readonly api: GatewayApi;
  /** Where a kind is served, in its best version; undefined when it is not. */
  resource(kind: string): ResourceType | undefined;
  /** Begins; resolves after the first complete answer, however long that takes. */
  start(): Promise<void>;
  stop(): void;
}

export interface DiscoveryOptions {
  client: ApiClient;
  /** Told of failures that will be tried again. */
  onError: (error: unknown) => void;
  /** After every answer that differs from the one before, the first included. */
  onChange: () => void;
}

const definitions: ResourceType = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
  namespaced: false,
};
const versionAnnotation = "gateway.networking.k8s.io/bundle-version";
const channelAnnotation = "gateway.networking.k8s.io/channel";

/** How long definitions are waited for: reading them may be forbidden, and then discovery has to do. */
const patienceMs = 1_000;
/** How often is asked again where definitions cannot be watched, and after failures. */
const repeatMs = 5_000;
/** How soon is asked again when discovery and definitions differ, doubled each time up to `repeatMs`: kube-apiserver serves a
 * new definition a moment before its discovery knows of it, and nothing tells when it does. */
const firstRepeatMs = 100;

export function createGatewayApiDiscovery(options: DiscoveryOptions): GatewayApiDiscovery {
  return new Discovery(options);
}

class Discovery implements GatewayApiDiscovery {
  api: GatewayApi = { release: "v1.4.0", channel: "standard", kinds: new Set() };
  readonly #options: DiscoveryOptions;
  readonly #definitions;
  #resources = new Map<string, ResourceType>();
  #definitionsKnown = false;
  #known = false;
  #running = false;
  #again = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #lagRepeatMs = firstRepeatMs;
  #resolve: () => void = () => {};

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#definitions = createInformer(metadataClient(options.client, { annotations: true }), definitions);
  }

  resource(kind: string): ResourceType | undefined {
    return this.#resources.get(kind);
  }

  async start(): Promise<void> {
    const known = new Promise<void>((resolve) => (this.#resolve = resolve));
    this.#definitions.onChange(({ old, current }) => {
      if (!isOurs((current ?? old)?.metadata.name)) return;
      this.#lagRepeatMs = firstRepeatMs;
      this.#request();
    });
    const listed = this.#definitions.start().then(() => void (this.#definitionsKnown = true));
    await Promise.race([listed, new Promise((resolve) => setTimeout(resolve, patienceMs).unref())]);
    void listed.then(() => this.#request());
    this.#request();
    await known;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#definitions.stop();
    this.#resolve();
  }

  #request(): void {
    if (this.#running) this.#again = true;
    else if (!this.#stopped) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    clearTimeout(this.#timer);
    try {
      do {
        this.#again = false;
        this.#take(await discoverResources(this.#options.client));
      } while (this.#again && !this.#stopped);
      if (!this.#definitionsKnown) this.#repeatLater(repeatMs);
      else if (!this.#isUpToDate()) {
        this.#repeatLater(this.#lagRepeatMs);
        this.#lagRepeatMs = Math.min(this.#lagRepeatMs * 2, repeatMs);
      }
    } catch (error) {
      this.#options.onError(error);
      this.#repeatLater(repeatMs);
    } finally {
      this.#running = false;
    }
  }

  #repeatLater(afterMs: number): void {
    if (!this.#stopped) this.#timer = setTimeout(() => this.#request(), afterMs).unref();
  }

  /** Whether discovery knows the kinds of which there are definitions, and no others. */
  #isUpToDate(): boolean {
    const defined = [...this.#definitions.objects.values()].filter(isDefinition).map(({ metadata }) => metadata.name);
    const found = new Set([...this.#resources.values()].map(({ plural, group }) => `${plural}.${group}`));
    return defined.length === found.size && defined.every((name) => found.has(name));
  }

  #take(resources: Map<string, ResourceType>): void {
    if (this.#stopped) return;
    const api = describeApi(resources, [...this.#definitions.objects.values()].filter(isDefinition));
    const changed = !this.#known || fingerprint(api, resources) !== fingerprint(this.api, this.#resources);
    this.#known = true;
    if (changed) {
      this.api = api;
      this.#resources = resources;
      this.#options.onChange();
    }
    this.#resolve();
  }
}

const fingerprint = (api: GatewayApi, resources: ReadonlyMap<string, ResourceType>): string =>
  JSON.stringify([api.release, api.channel, api.unsupported, [...resources.values()]]);

const isOurs = (definition = ""): boolean =>
  definition.endsWith(`.${gatewayGroup}`) || definition.endsWith(`.${experimentalGroup}`);
const isDefinition = ({ metadata }: KubeObject): boolean => isOurs(metadata.name);

/** Of a kind that is served in several versions the first of these counts. ReferenceGrant is in v1beta1 in every release. */
const preference = ["v1", "v1beta1", "v1alpha3", "v1alpha2", "v1alpha1"];

interface ApiGroup {
  versions: { version: string }[];
}
interface ApiResourceList {
  resources: { name: string; kind: string; namespaced: boolean }[];
}

async function discoverResources(client: ApiClient): Promise<Map<string, ResourceType>> {
  const groups = await Promise.all([gatewayGroup, experimentalGroup].map((group) => discoverGroup(client, group)));
  return new Map(groups.flat().map((type) => [type.kind, type]));
}

/** The worst version of a kind first, so that the best is the last to be noted. */
async function discoverGroup(client: ApiClient, group: string): Promise<ResourceType[]> {
  const found = await absent(client.json<ApiGroup>({ method: "GET", path: `/apis/${group}` }));
  const versions = (found?.versions ?? []).map(({ version }) => version);
  const rank = (version: string): number => (preference.includes(version) ? preference.indexOf(version) : 99);
  const worstFirst = versions.toSorted((a, b) => rank(b) - rank(a));
  const lists = await Promise.all(
    worstFirst.map((version) =>
      absent(client.json<ApiResourceList>({ method: "GET", path: `/apis/${group}/${version}` })),
    ),
  );
  return lists.flatMap((list, position) =>
    (list?.resources ?? [])
      .filter(({ name }) => !name.includes("/"))
      .map(({ name: plural, kind, namespaced }) => ({
        group,
        version: worstFirst[position] ?? "",
        plural,
        kind,
        namespaced,
      })),
  );
}

async function absent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return undefined;
    throw error;
  }
}

/** Pure. Without definitions the release is told by what v1.6 brought, the channel by what the standard one lacks. */
export function describeApi(
  resources: ReadonlyMap<string, ResourceType>,
  definitionsOfOurs: readonly KubeObject[],
): GatewayApi {
  const kinds = new Set(resources.keys());
  const annotations = (name: string) => definitionsOfOurs.map(({ metadata }) => metadata.annotations?.[name] ?? "");
  const versions = [...new Set(annotations(versionAnnotation))].sort();
  const unknown = versions.filter((version) => !/^v1\.[46]\./.test(version));
  const bySix = versions.length > 0 ? versions.every(isSinceSix) : kinds.has("ListenerSet");
  const channels = annotations(channelAnnotation);
  const experimental =
    channels.length > 0 ? channels.includes("experimental") : kinds.has("XMesh") || kinds.has("XBackendTrafficPolicy");
  return {
    release: bySix ? "v1.6.1" : "v1.4.0",
    channel: experimental ? "experimental" : "standard",
    kinds,
    ...(unknown.length > 0 ? { unsupported: unsupportedMessage(unknown) } : {}),
  };
}

const isSinceSix = (version: string): boolean => Number(/^v1\.(\d+)/.exec(version)?.[1] ?? 0) >= 6;

function unsupportedMessage(unknown: readonly string[]): string {
  const found = unknown.map((version) => version || "(no bundle-version annotation)").join(", ");
  return `the cluster has Gateway API definitions of ${found}; supported are v1.4 and v1.6: what they share is served`;
}
