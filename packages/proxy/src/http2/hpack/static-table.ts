// The static table of HPACK (RFC 7541 appendix A): name and value by index, from 1.

const TABLE = `:authority
:method GET
:method POST
:path /
:path /index.html
:scheme http
:scheme https
:status 200
:status 204
:status 206
:status 304
:status 400
:status 404
:status 500
accept-charset
accept-encoding gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`
  .split("\n")
  .map((line) => /^(\S+) ?(.*)$/.exec(line)!);

/** Number of entries: dynamic ones follow. */
export const STATIC_ENTRIES: number = TABLE.length;

/** Index 0 is none. */
export const STATIC_NAMES: readonly string[] = ["", ...TABLE.map((parts) => parts[1]!)];
export const STATIC_VALUES: readonly string[] = ["", ...TABLE.map((parts) => parts[2]!)];

/** The first index of each name. */
export const STATIC_INDEX: ReadonlyMap<string, number> = new Map(
  STATIC_NAMES.map((name, index): [string, number] => [name, index])
    .slice(1)
    .toReversed(),
);
