// Reading a CoreDNS configuration (Corefile): server blocks with the zones they serve and the plugins they name.

/** One block, e.g. `foo.bar.com:53 { whoami }`. */
export interface ServerBlock {
  /** In lower case, with the final dot; `.` is the root. */
  zones: string[];
  port: number;
  /** Names in the order they are written. */
  plugins: string[];
}

const defaultPort = 53;

/** Throws an Error that says on which line something is wrong. */
export function parseCorefile(text: string): ServerBlock[] {
  const blocks: ServerBlock[] = [];
  let open: { block: ServerBlock[]; depth: number } | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    const words = raw.replace(/#.*/, "").trim().split(/\s+/).filter(Boolean);
    if (words.length === 0) continue;
    const opens = words.at(-1) === "{";
    if (words[0] === "}") {
      if (!open) throw new Error(`line ${index + 1}: unexpected "}"`);
      open.depth--;
      if (open.depth > 0) continue;
      blocks.push(...open.block);
      open = undefined;
    } else if (!open) {
      if (!opens) throw new Error(`line ${index + 1}: a server block opens with "{"`);
      open = { block: words.slice(0, -1).map(serverBlock), depth: 1 };
    } else {
      if (open.depth === 1) open.block.forEach(({ plugins }) => plugins.push(words[0] ?? ""));
      if (opens) open.depth++;
    }
  }
  if (open) throw new Error('the last server block has no "}"');
  return blocks;
}

/** `dns://example.org:5353`, `.:53`, `example.org`. */
function serverBlock(key: string): ServerBlock {
  const [, zone = "", port] = /^(?:dns:\/\/)?(.*?)(?::(\d+))?$/.exec(key.replace(/,$/, "")) ?? [];
  const name = zone.toLowerCase().replace(/\.$/, "");
  return { zones: [`${name}.`], port: port ? Number(port) : defaultPort, plugins: [] };
}
