// How addresses are written everywhere beyond the sockets.

/** An address as sockets tell it, without the prefix that IPv4 peers of an IPv6 socket have. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
