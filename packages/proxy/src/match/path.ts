// What a request path is matched and forwarded as. A matcher that reads a path differently from the backend behind it can
// be walked around, so the rule is: dot segments are resolved before anything else looks at the path; everything else
// stays as sent; and a path that a backend might decode into another route's path is refused.

/** A dot segment, plain or percent-encoded (RFC 3986 sections 5.2.4 and 6.2.2.2: `%2e` is `.`). */
const DOT = /^(?:\.|%2e)$/i;
const DOUBLE_DOT = /^(?:\.|%2e){2}$/i;
const ANY_DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;
/** Left after decoding slashes, or hidden behind a path parameter (`/..;/`): never legitimate. */
const HIDDEN_DOT_SEGMENT = /\/\.{1,2}(?:;[^/]*)?(?:\/|$)/;
const UNRESERVED = /%(?:2[DdEe]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])/g;

/** A path without any of these reads the same to everybody. */
const UNUSUAL = /[%\\;]|\/[./]/;

export interface RequestPath {
  /** With dot segments resolved; matched and forwarded. */
  path: string;
  /** The same path as a lenient backend might read it (encoded slashes and letters decoded, slashes merged); null when
   * that makes no difference. It must lead to the same route. */
  lenient: string | null;
}

/** Splits a request target into path and query; the query keeps its `?` and is empty when absent. */
export function splitTarget(target: string): { path: string; query: string } {
  const mark = target.indexOf("?");
  return mark < 0 ? { path: target, query: "" } : { path: target.slice(0, mark), query: target.slice(mark) };
}

/** Null for a path that must be refused because it hides dot segments. */
export function readPath(path: string): RequestPath | null {
  if (!UNUSUAL.test(path)) return { path, lenient: null };
  const resolved = ANY_DOT_SEGMENT.test(path) ? resolveDotSegments(path) : path;
  const lenient = resolved
    .replace(/%2f|%5c|\\/gi, "/")
    .replace(UNRESERVED, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)))
    .replace(/\/{2,}/g, "/");
  if (HIDDEN_DOT_SEGMENT.test(lenient)) return null;
  return { path: resolved, lenient: lenient === resolved ? null : lenient };
}

/** RFC 3986 section 5.2.4 on an absolute path. */
function resolveDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (DOUBLE_DOT.test(segment)) kept.pop();
    else if (!DOT.test(segment)) {
      kept.push(segment);
      continue;
    }
    if (last) kept.push("");
  }
  return `/${kept.join("/")}`;
}
