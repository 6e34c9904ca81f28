// Alerts (RFC 8446 section 6), and how they are sent on connections that never get as far as a TLS stack of ours.

export const Alert = {
  unexpectedMessage: 10,
  recordOverflow: 22,
  badCertificate: 42,
  certificateExpired: 45,
  illegalParameter: 47,
  unknownCa: 48,
  decodeError: 50,
  unrecognizedName: 112,
  certificateRequired: 116,
} as const;

const ALERT_RECORD = 21;
const FATAL = 2;

/** A fatal alert as it is sent before encryption is agreed on. */
export function plainAlert(description: number): Buffer {
  return Buffer.from([ALERT_RECORD, 3, 3, 0, 2, FATAL, description]);
}
