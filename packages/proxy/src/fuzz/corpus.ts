// Streams that were worth keeping: what the search found wrong once, here or in the oracle, and the classics of smuggling.

const POST = "POST / HTTP/1.1\r\nHost: a\r\n";
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n`;
const EVIL = "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n";
const WS = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

export const REQUESTS: readonly string[] = [
  // Read by way of what lay behind them in the buffer.
  "\r\n",
  "PATCH /a/0/b HTTP/1.1\r\nHost: a\r\n\r\n\r\n",
  "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET / HTTP/1.1\r\nA: A: b\r\n c\r\nHost: a\r\n\r1.1\r",
  // Chunked to some.
  ...[
    "\xa0chunked",
    "chunked\xa0",
    "chunked,",
    ",chunked",
    "chunked, chunked",
    "chunked \t",
    "xchunked",
    "\x0bchunked",
    "chunked;a",
  ].map((coding) => `${POST}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n${EVIL}`),
  `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${EVIL}`,
  `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${EVIL}`,
  `${POST}Content-Length: 5\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${EVIL}`,
  `POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${EVIL}`,
  ...["+5", "05", "5, 5", "5 5", "0x5", "5\xa0", "-0", "", "5\r\nContent-Length: 5", "5\r\nContent-Length: 6"].map(
    (length) => `${POST}Content-Length: ${length}\r\n\r\nhello${EVIL}`,
  ),
  ...["5;\r\n", "5;a\n", "5 \r\n", "5\n", '5;a="\r\n', "05;a\r\n", "5\r\r\n", "5,\r\n", " 5\r\n", "5;a\r \n"].map(
    (start) => `${CHUNKED}\r\n${start}hello\r\n0\r\n\r\n${EVIL}`,
  ),
  ...[
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "X: y\n",
    " X: y\r\n",
    "X : y\r\n",
    "X: y\rZ: z\r\n",
    "X: y\r\n",
  ].map((trailer) => `${CHUNKED}\r\n5\r\nhello\r\n0\r\n${trailer}\r\n${EVIL}`),
  `${CHUNKED.trimEnd()}\t\r\n${WS}\r\n5\r\nhello\r\n0\r\n\r\n`,
  // An upgrade that node:http does not grant costs what was sent along.
  `GET / HTTP/1.1\r\nHost: a\r\n${WS}\r\n${EVIL}`,
  `${POST}${WS}Content-Length: 1\r\n\r\na${EVIL}`,
  `${POST}Content_Length: 5\r\n\r\n${EVIL}`,
  `GET http://b.test/x?y HTTP/1.1\r\nHost: a\r\n\r\n${EVIL}`,
  `OPTIONS http://b.test HTTP/1.1\r\nHost: a\r\n\r\n${EVIL}`,
  `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${EVIL}`,
  `GET / HTTP/1.0\r\nHost: a\r\n\r\n${EVIL}`,
  `GET / HTTP/1.9\r\nHost: a\r\n\r\n${EVIL}`,
  `${CHUNKED}Expect: 100-continue\r\n\r\n0\r\n\r\n${EVIL}`,
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];

const OK = "HTTP/1.1 200 OK\r\n";

export const ANSWERS: readonly string[] = [
  `${OK}Transfer-Encoding: chunked,\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `${OK}Content-Length: 5\r\n\r\nhello${OK}\r\n`,
  `${OK}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `${OK}\r\nuntil close`,
  "HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 102 \r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
  "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
  "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
  `${OK}A: b\n\r\n`,
  `${OK}A: b\rC: d\r\n\r\n`,
  `${OK}Content-Length : 5\r\n\r\nhello`,
  `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
  "HTTP/1.1 200\tOK\r\n\r\n",
  "ICY 200 OK\r\n\r\n",
];
