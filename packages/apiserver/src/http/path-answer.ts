// The answer of whatever is no resource, before it is written.

/** What a path outside the resources answers. */
export interface PathAnswer {
  code: number;
  contentType: string;
  body: string | Buffer;
  headers?: Record<string, string>;
}
