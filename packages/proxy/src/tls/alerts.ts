// Alerts of connections that never get as far as a TLS stack of ours (RFC 8446 section 6).

export const Alert = {
  unexpectedMessage: 10,
  recordOverflow: 22,
  illegalParameter: 47,
  decodeError: 50,
  unrecognizedName: 112,
} as const;

const ALERT_RECORD = 21;
const FATAL = 2;

/** A fatal alert as it is sent before encryption is agreed on. */
export function plainAlert(description: number): Buffer {
  return Buffer.from([ALERT_RECORD, 3, 3, 0, 2, FATAL, description]);
}
