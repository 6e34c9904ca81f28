// Text of servers and tools on its way to a terminal.

/** Control characters, among them the escapes of colours and titles, as `\\u001b` and the like. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => JSON.stringify(character).slice(1, -1));
}
