// Connections of HTTP/2 clients that are worth keeping: each rule that is easily got wrong once, and what implementations fell over.

import { Flag, frameHead, FrameType, headerFrames, number32, PREFACE, settingsFrame } from "../http2/frames.ts";

const HELLO = PREFACE + settingsFrame([]);
const literal = (text: string): string => String.fromCharCode(text.length) + text;
const field = (name: string, value: string, form = "\0"): string => form + literal(name) + literal(value);
const pseudo = (method: string, path: string): string =>
  field(":method", method) + field(":scheme", "http") + field(":authority", "a.test") + field(":path", path);
const GET = pseudo("GET", "/?1");
const POST = pseudo("POST", "/?1");
const frame = (type: number, flags: number, stream: number, payload = ""): string =>
  frameHead(payload.length, type, flags, stream) + payload;
const data = (payload: string, flags: number): string => frame(FrameType.data, flags, 1, payload);
const open = headerFrames(1, POST, false);

export const CONNECTIONS: readonly string[] = [
  HELLO,
  PREFACE,
  HELLO + headerFrames(1, GET, true),
  // A head in pieces: in the middle of a string, empty ones, and one that is broken into.
  HELLO + frame(FrameType.headers, Flag.endStream, 1, GET.slice(0, 9)) + frame(9, Flag.endHeaders, 1, GET.slice(9)),
  HELLO + frame(FrameType.headers, Flag.endStream, 1) + frame(9, 0, 1) + frame(9, Flag.endHeaders, 1, GET),
  HELLO + frame(FrameType.headers, Flag.endStream, 1, GET) + frame(FrameType.ping, 0, 0, "12345678"),
  // Padding of everything, to the last byte and beyond.
  HELLO + open + data("\x03abc\0\0\0", Flag.padded | Flag.endStream),
  HELLO + open + data("\x03\0\0\0", Flag.padded) + data("", Flag.endStream),
  HELLO + open + data("\x04\0\0\0", Flag.padded),
  HELLO + frame(FrameType.headers, Flag.endHeaders | Flag.endStream | Flag.padded, 1, `\x02${GET}\0\0`),
  HELLO + frame(FrameType.headers, Flag.endHeaders | Flag.endStream | Flag.padded, 1, `\xff${GET}`),
  HELLO + frame(FrameType.headers, Flag.endHeaders | Flag.endStream | Flag.priority, 1, `\x80\0\0\0\x10${GET}`),
  // The table: what was put into it, a size of nothing, and sizes at the wrong place.
  HELLO + headerFrames(1, GET + field("x", "y", "\x40"), true) + headerFrames(3, `${pseudo("GET", "/?3")}\xbe`, true),
  HELLO +
    headerFrames(1, GET + field("x", "y", "\x40"), true) +
    headerFrames(3, `\x20${pseudo("GET", "/?3")}\xbe`, true),
  HELLO + headerFrames(1, `${GET}\x20`, true),
  HELLO + headerFrames(1, `\x3f\xe2\x1f${GET}`, true),
  HELLO + headerFrames(1, `${GET}\x80`, true),
  HELLO + headerFrames(1, `${GET}\xff\xff\xff\xff\xff\x7f`, true),
  // Bodies that are not what they were said to be.
  ...["0", "2", "4", "+3", "3, 3"].map(
    (length) => HELLO + headerFrames(1, POST + field("content-length", length), false) + data("abc", Flag.endStream),
  ),
  HELLO + headerFrames(1, POST + field("content-length", "0"), false) + data("", Flag.endStream),
  // Trailers, with and without their end.
  HELLO + open + data("abc", 0) + headerFrames(1, field("x-t", "1"), true),
  HELLO + open + headerFrames(1, field("x-t", "1"), false),
  HELLO + open + headerFrames(1, field(":path", "/evil"), true),
  // Fields that would be lines of their own.
  HELLO + headerFrames(1, GET + field("x", "a\r\nevil: 1"), true),
  HELLO + headerFrames(1, GET + field("x\r\nevil", "1"), true),
  HELLO + headerFrames(1, pseudo("GET /evil HTTP/1.1\r\n\r\nGET", "/"), true),
  HELLO + headerFrames(1, pseudo("GET", "/ HTTP/1.1\r\nevil: 1"), true),
  HELLO + headerFrames(1, GET + field(":path", "/evil"), true),
  HELLO + headerFrames(1, field("x", "y") + GET, true),
  // Windows.
  HELLO + frame(FrameType.windowUpdate, 0, 0, number32(0)),
  HELLO + frame(FrameType.windowUpdate, 0, 0, number32(0x7fffffff)),
  PREFACE + settingsFrame([[4, 0]]) + headerFrames(1, GET, true) + settingsFrame([[4, 0x7fffffff]]),
  PREFACE + settingsFrame([[4, 0x80000000]]),
  // Streams.
  HELLO + headerFrames(2, GET, true),
  HELLO + headerFrames(5, GET, true) + headerFrames(3, GET, true),
  HELLO + headerFrames(1, GET, true) + frame(FrameType.rstStream, 0, 1, number32(8)),
  HELLO + frame(FrameType.pushPromise, Flag.endHeaders, 1, number32(2) + GET),
  HELLO + frame(FrameType.goaway, 0, 0, number32(0) + number32(0)) + headerFrames(1, GET, true),
];
