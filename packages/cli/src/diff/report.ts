// What a comparison of two clusters found, as data. `-o json|yaml` prints it as it is, so its shape is a promise.

/** One thing that is not the same on both sides. `null` is "not there". */
export interface Difference {
  /** What it is about: `spec.rules[0].matches[0].path.value`, `Gateway traefik/web: Accepted`, `status`. */
  field: string;
  a: unknown;
  b: unknown;
}

/** Differences count; notes are told, and do not. */
export interface Findings {
  differences: Difference[];
  notes: Difference[];
}

export interface ObjectFindings extends Findings {
  /** `HTTPRoute demo/whoami-host`, or `GatewayClass traefik`. */
  object: string;
}

export interface RequestFindings extends Findings {
  /** `GET http://demo.localhost/v1`. */
  request: string;
  /** Where the request comes from: a match of a route, or an entry of the request file. */
  origin: string;
  /** How often it was sent to each cluster. */
  times: number;
}

/** Something that was not compared, and why. */
export interface Skipped {
  what: string;
  why: string;
}

export interface ClusterHeading {
  context: string;
  kubernetes: string;
  /** Of the installed definitions; null when there are none, or when they may not be read. */
  gatewayApi: { version: string; channel: string } | null;
  /** Where requests went in, by what they needed: `http`, `https`, `http listener port 8000`. */
  entries: { for: string; address: string; how: string }[];
}

export interface DiffReport {
  a: ClusterHeading;
  b: ClusterHeading;
  summary: { equal: boolean; objects: number; requests: number; differences: number; notes: number };
  /** Only what has a difference or a note. */
  objects: ObjectFindings[];
  /** Only what has a difference or a note. */
  requests: RequestFindings[];
  skipped: Skipped[];
}

export const noFindings = (): Findings => ({ differences: [], notes: [] });

export const hasFindings = ({ differences, notes }: Findings): boolean => differences.length > 0 || notes.length > 0;

/** The report over everything that was compared, findings or not. */
export function createReport(
  headings: { a: ClusterHeading; b: ClusterHeading },
  objects: readonly ObjectFindings[],
  requests: readonly RequestFindings[],
  skipped: Skipped[],
): DiffReport {
  const all = [...objects, ...requests];
  const differences = all.reduce((sum, each) => sum + each.differences.length, 0);
  const notes = all.reduce((sum, each) => sum + each.notes.length, 0);
  return {
    ...headings,
    summary: { equal: differences === 0, objects: objects.length, requests: requests.length, differences, notes },
    objects: objects.filter(hasFindings),
    requests: requests.filter(hasFindings),
    skipped,
  };
}
