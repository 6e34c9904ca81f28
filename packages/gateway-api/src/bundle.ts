// The releases of the Gateway API that are carried here, and in which of them a piece of a definition exists.

/** Carried releases, oldest first. */
export const BUNDLE_VERSIONS = ["v1.4.0", "v1.6.1"] as const;
export type BundleVersion = (typeof BUNDLE_VERSIONS)[number];

export const CHANNELS = ["standard", "experimental"] as const;
export type Channel = (typeof CHANNELS)[number];

/** One set of CRDs that is installed together. */
export interface Bundle {
  version: BundleVersion;
  channel: Channel;
}

/** Matches the bundles that fulfil every member; `{}` matches all of them. */
export interface Clause {
  channel?: Channel;
  /** First carried release. */
  since?: BundleVersion;
  /** First carried release that no longer matches. */
  until?: BundleVersion;
}

/** The bundles that some clause matches: `[]` is nowhere, `[{}]` everywhere. */
export type Availability = readonly Clause[];

export const everywhere: Availability = [{}];
export const nowhere: Availability = [];

/** What the experimental channel has and the standard channel does not. */
export const experimental: Clause = { channel: "experimental" };

/** What the experimental channel of v1.4.0 had first and both channels of v1.6.1 have. */
export const graduated: Availability = [experimental, { since: "v1.6.1" }];

/** Whether a piece with that availability belongs to the bundle. */
export function isAvailable(availability: Availability, bundle: Bundle): boolean {
  return availability.some((clause) => matches(clause, bundle));
}

function matches({ channel, since, until }: Clause, bundle: Bundle): boolean {
  const position = BUNDLE_VERSIONS.indexOf(bundle.version);
  if (channel !== undefined && channel !== bundle.channel) return false;
  if (since !== undefined && position < BUNDLE_VERSIONS.indexOf(since)) return false;
  return until === undefined || position < BUNDLE_VERSIONS.indexOf(until);
}
