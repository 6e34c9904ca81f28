// Fields that a JSON body says twice: JSON.parse takes the last and is silent, Kubernetes warns or refuses (fieldValidation).

/** Paths of the fields said more than once in one object, in order of appearance, as in `data.key` or `items[1].name`. */
export function repeatedFields(json: string): string[] {
  if (!hasRepetition(json)) return [];
  const found: string[] = [];
  walk(json, (path) => found.push(path));
  return [...new Set(found)];
}

/** Cheap and nearly always enough: as many keys in the text as in the tree. */
function hasRepetition(json: string): boolean {
  let said = 0;
  for (let at = 0; at < json.length; at++) {
    const sign = json.charCodeAt(at);
    if (sign === quote) at = endOfString(json, at);
    else if (sign === colon) said++;
  }
  return said !== keysIn(JSON.parse(json));
}

function keysIn(value: unknown): number {
  if (value === null || typeof value !== "object") return 0;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + keysIn(item), 0);
  const children = Object.values(value);
  return children.reduce<number>((sum, child) => sum + keysIn(child), children.length);
}

const quote = 0x22;
const colon = 0x3a;
const backslash = 0x5c;

/** Index of the closing quote of the string that begins at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json.charCodeAt(at) !== quote) at += json.charCodeAt(at) === backslash ? 2 : 1;
  return at;
}

interface Place {
  path: string;
  /** Keys so far; absent in a list. */
  keys?: Set<string>;
  index: number;
  key: string;
}

/** Goes through valid JSON and tells the path of each key that its object had before. */
function walk(json: string, repeated: (path: string) => void): void {
  const places: Place[] = [];
  for (let at = 0; at < json.length; at++) {
    const place = places.at(-1);
    const sign = json[at];
    if (sign === "{" || sign === "[") {
      places.push({ path: pathOf(place), index: 0, key: "", ...(sign === "{" ? { keys: new Set<string>() } : {}) });
    } else if (sign === "}" || sign === "]") places.pop();
    else if (sign === "," && place) place.index++;
    else if (sign === '"') {
      const end = endOfString(json, at);
      if (place?.keys && /^\s*:/.test(json.slice(end + 1, end + 200))) addKey(place, json.slice(at, end + 1), repeated);
      at = end;
    }
  }
}

function addKey(place: Place, literal: string, repeated: (path: string) => void): void {
  place.key = JSON.parse(literal) as string;
  if (place.keys?.has(place.key)) repeated(pathOf(place));
  place.keys?.add(place.key);
}

/** The path of what stands at a place now. */
function pathOf(place: Place | undefined): string {
  if (!place) return "";
  if (!place.keys) return `${place.path}[${place.index}]`;
  return place.path ? `${place.path}.${place.key}` : place.key;
}
