// Bundles of Gateway API definitions: where they come from, which version and channel they are, and how one compares with
// what a cluster has.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { admissionPolicies } from "@gatehouse/gateway-api/admission-policies";
import { type Bundle as CarriedBundle, BUNDLE_VERSIONS, CHANNELS } from "@gatehouse/gateway-api/bundle";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { existsSync } from "node:fs";
import type { Step } from "../progress.ts";
import { withoutPasswords } from "../shell-word.ts";
import { UserError } from "../user-error.ts";

/** `official`: the project's release, or our own bundle of it where it cannot be had. */
export type DefinitionsSource =
  | { kind: "bundled" | "official"; bundle: CarriedBundle }
  | { kind: "file" | "url"; place: string };

/** What the command line says of the release: `--gateway-api v1.6.1 --channel experimental`. */
export interface BundleChoice {
  gatewayApi?: string | undefined;
  channel?: string | undefined;
}

export interface Bundle {
  /** e.g. `v1.4.0`. */
  version: string;
  channel: string;
  objects: KubeObject[];
  /** Why it is another than the one asked for. */
  note?: string;
}

const defaultBundle: CarriedBundle = { version: "v1.4.0", channel: "standard" };
const releases = "https://github.com/kubernetes-sigs/gateway-api/releases/download";
const versionAnnotation = "gateway.networking.k8s.io/bundle-version";
const channelAnnotation = "gateway.networking.k8s.io/channel";

/** The bundle that is asked for, by default v1.4.0 of the standard channel. Throws a UserError that lists those there are. */
export function chooseBundle({ gatewayApi, channel }: BundleChoice, option = "--gateway-api"): CarriedBundle {
  const version = BUNDLE_VERSIONS.find((each) => each === (gatewayApi ?? defaultBundle.version));
  if (!version) throw new UserError(`${option} ${gatewayApi}: choose one of ${BUNDLE_VERSIONS.join(", ")}`, 2);
  const wanted = CHANNELS.find((each) => each === (channel ?? defaultBundle.channel));
  if (!wanted) throw new UserError(`--channel ${channel}: choose one of ${CHANNELS.join(", ")}`, 2);
  return { version, channel: wanted };
}

/** All objects of a bundle: the definitions, and the admission policies that newer ones have. */
export function bundleObjects(bundle: CarriedBundle): KubeObject[] {
  return [...customResourceDefinitions(bundle), ...admissionPolicies(bundle)];
}

/**
 * What `--gateway-api-crds` says: `official`, `bundled` (both of the chosen release), a URL, a file or a folder. Throws a UserError
 * for none of these, and for a release beside a source that has its own.
 */
export function parseDefinitionsSource(text: string, choice: BundleChoice = {}): DefinitionsSource {
  const bundle = chooseBundle(choice);
  if (text === "official" || text === "bundled") return { kind: text, bundle };
  if (choice.gatewayApi !== undefined || choice.channel !== undefined) {
    throw new UserError(
      `--gateway-api-crds ${text} says itself which release it is: leave out --gateway-api and --channel`,
      2,
    );
  }
  if (/^https?:\/\//.test(text)) return { kind: "url", place: text };
  if (existsSync(text)) return { kind: "file", place: text };
  throw new UserError(
    `--gateway-api-crds ${text}: there is no such file or folder; give one, a URL, official (the project's release) or bundled (ours, no network)`,
    2,
  );
}

/** Throws a UserError when the source cannot be read or holds no Gateway API definitions. */
export async function loadBundle(source: DefinitionsSource, { detail }: Pick<Step, "detail">): Promise<Bundle> {
  if (source.kind === "bundled") return bundled(source.bundle);
  const place = "place" in source ? source.place : officialUrl(source.bundle);
  if (/^https?:/.test(place)) detail(`downloading ${withoutPasswords(place)}`);
  try {
    return bundleOf(await read(place), place);
  } catch (error) {
    if ("place" in source) throw error;
    return { ...bundled(source.bundle), note: `our own bundle, because ${(error as Error).message}` };
  }
}

const officialUrl = ({ version, channel }: CarriedBundle): string => `${releases}/${version}/${channel}-install.yaml`;

function bundled(bundle: CarriedBundle): Bundle {
  return { ...bundle, objects: bundleObjects(bundle) };
}

/** A file, a folder or a URL. */
async function read(place: string): Promise<KubeObject[]> {
  const { loadManifests } = await import("../manifest-files.ts");
  return (await loadManifests([place])).map(({ object }) => object);
}

function bundleOf(objects: KubeObject[], source: string): Bundle {
  const definitions = objects.filter(({ kind }) => kind === "CustomResourceDefinition");
  const annotations = definitions.map(({ metadata }) => metadata.annotations ?? {});
  const version = annotations.map((each) => each[versionAnnotation]).find((each) => each !== undefined);
  if (version === undefined) {
    throw new UserError(`${source} holds no Gateway API definitions (none with the annotation ${versionAnnotation})`);
  }
  return { version, channel: annotations[0]?.[channelAnnotation] ?? "standard", objects };
}

/**
 * `same`: every definition of the bundle is there in its version and channel. `ask`: the cluster has newer ones, ones of
 * another channel, or ones that do not say what they are. Else `install`.
 */
export function compareBundles(bundle: Bundle, present: KubeObject[]): "same" | "install" | "ask" {
  const identity = ({ metadata: { name, annotations } }: KubeObject): string =>
    [name, annotations?.[versionAnnotation], annotations?.[channelAnnotation] ?? "standard"].join(" ");
  const there = new Set(present.map(identity));
  const wanted = bundle.objects.filter(({ kind }) => kind === "CustomResourceDefinition");
  if (wanted.every((definition) => there.has(identity(definition)))) return "same";
  const others = present.some(({ metadata: { annotations } }) => {
    const version = annotations?.[versionAnnotation];
    const channel = annotations?.[channelAnnotation] ?? "standard";
    return version === undefined || channel !== bundle.channel || compareVersions(version, bundle.version) > 0;
  });
  return others ? "ask" : "install";
}

/** `v1.6.1 (experimental channel)` of what is present, each once. */
export function versionsOf(definitions: KubeObject[]): string {
  const all = definitions.map(({ metadata: { annotations } }) => {
    const version = annotations?.[versionAnnotation] ?? "of unknown version";
    return `${version} (${annotations?.[channelAnnotation] ?? "standard"} channel)`;
  });
  return [...new Set(all)].join(" and ");
}

/** Semantic versions with a `v`: a release comes after its candidates. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => {
    const [release = "", candidate] = text.replace(/^v/, "").split("-", 2);
    return { numbers: release.split(".").map(Number), candidate };
  });
  for (const index of [0, 1, 2]) {
    const difference = (left?.numbers[index] ?? 0) - (right?.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left?.candidate === right?.candidate) return 0;
  if (left?.candidate === undefined) return 1;
  if (right?.candidate === undefined) return -1;
  return left.candidate.localeCompare(right.candidate, "en", { numeric: true });
}
