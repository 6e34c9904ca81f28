// Answers that the proxy gives itself, whatever protocol the client speaks.

export interface OwnAnswer {
  status: number;
  /** Why, for the access log. The body says it too, unless there is a `body`. */
  reason: string;
  /** Further field lines, each with CRLF, Latin-1. */
  lines: string;
  /** Latin-1; replaces the proxy's own words. */
  body?: string;
  /** Of `body`. Default text/plain in UTF-8. */
  contentType?: string;
}
