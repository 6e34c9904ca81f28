// The other half of what is known of the runtime's internals (see tcp-handles.ts): OpenSSL's connections as Node binds them to a
// stream (TLSWrap), without the TLSSocket over them. Null where they are not there or do not look as expected.

import { TLSSocket } from "node:tls";
import type { CipherNameAndProtocol, SecureContext } from "node:tls";
import { tcpHandles } from "./tcp-handles.ts";
import type { StreamHandle, TcpHandles } from "./tcp-handles.ts";

/** One end of a TLS connection. It takes the reads of the stream it was made over; `readStart` and `readStop` are that stream's.
 *
 * One write at a time: another before the first has completed ends the process. Writes always complete later, also when the
 * kernel has taken everything, and are encrypted (so copied) before the call returns. `shutdown` loses its close_notify while a
 * write is under way. */
export interface TlsHandle extends StreamHandle {
  /** Called when a handshake begins; again for each one that is asked for later. */
  onhandshakestart: (() => void) | undefined;
  /** Called within OpenSSL, where it must not be destroyed; more than once with TLS 1.3. */
  onhandshakedone: (() => void) | undefined;
  onkeylog: ((line: Buffer) => void) | undefined;
  /** The connection is broken for good; the alert for it is on its way. */
  onerror: ((error: NodeJS.ErrnoException) => void) | undefined;
  enableKeylogCallback(): void;
  /** Whether the peer is asked for a certificate, and whether the handshake fails without one. What it shows is not judged. */
  setVerifyMode(ask: boolean, insist: boolean): void;
  /** As ALPN has them: names, each after a byte with its length. */
  setALPNProtocols(names: Buffer): void;
  /** For a client's end, before `start`; never an address. */
  setServername(name: string): void;
  /** Sends a client's first message. */
  start(): void;
  /** Takes bytes that were read before it was there. */
  receive(bytes: Buffer): void;
  /** Frees OpenSSL's memory; nothing but `close` of the stream may follow. */
  destroySSL(): void;
  getALPNNegotiatedProtocol(): string | false;
  /** What is wrong with the peer's certificate, also when there is none. */
  verifyError(): (Error & { code: string }) | null;
  getPeerCertificate(whole: boolean): { raw: Buffer } | undefined;
  getCipher(): CipherNameAndProtocol;
  getProtocol(): string;
  isSessionReused(): boolean;
}

export interface TlsHandles {
  /** The server's end, over a connected stream. */
  serverOver(stream: StreamHandle, context: SecureContext): TlsHandle;
  /** The client's end, likewise. */
  clientOver(stream: StreamHandle, context: SecureContext): TlsHandle;
  /** From now on `onkeylog` hears of connections with this context. */
  reportSecrets(context: SecureContext): void;
}

type Wrap = (stream: StreamHandle, context: unknown, isServer: boolean, hasActiveWrite: boolean) => TlsHandle;

interface Binding {
  wrap?: Wrap;
  TLSWrap?: { prototype: object };
}

const MEMBERS =
  "onread,readStart,readStop,useUserBuffer,writeLatin1String,writeBuffer,writev,shutdown," +
  "setServername,start,enableKeylogCallback,setVerifyMode,setALPNProtocols,receive,destroySSL," +
  "getALPNNegotiatedProtocol,verifyError,getPeerCertificate,getCipher,getProtocol,isSessionReused";

/** How node:tls itself calls `wrap`: which ends the process when the arguments are others than it knows. */
const KNOWN_CALL =
  /tls_wrap\.wrap\(handle, context\.context,\s*!!options\.isServer,\s*wrapHasActiveWriteFromPrevOwner\)/;

function detect(): TlsHandles | null {
  const { binding } = process as unknown as { binding?: (name: string) => Binding };
  if (tcpHandles === null || binding === undefined) return null;
  try {
    const { wrap, TLSWrap } = binding("tls_wrap");
    if (wrap === undefined || TLSWrap === undefined) return null;
    const { _wrapHandle } = TLSSocket.prototype as unknown as { _wrapHandle: unknown };
    const complete = MEMBERS.split(",").every((name) => name in TLSWrap.prototype);
    if (!complete || !KNOWN_CALL.test(String(_wrapHandle))) return null;
    const serverOver: TlsHandles["serverOver"] = (stream, { context }) => wrap(stream, context, true, false);
    const clientOver: TlsHandles["clientOver"] = (stream, { context }) => wrap(stream, context, false, false);
    return { serverOver, clientOver, reportSecrets: secretReporter(tcpHandles, serverOver) };
  } catch {
    return null;
  }
}

/** Contexts can only be told by way of a connection that has them. */
function secretReporter(tcp: TcpHandles, serverOver: TlsHandles["serverOver"]): TlsHandles["reportSecrets"] {
  const told = new WeakSet<SecureContext>();
  return (context) => {
    if (told.has(context)) return;
    told.add(context);
    const stream = tcp.newSocket();
    const tls = serverOver(stream, context);
    tls.enableKeylogCallback();
    tls.destroySSL();
    stream.close();
  };
}

export const tlsHandles: TlsHandles | null = detect();
