// Client-side apply's patch: what to change in the live object so that it says what the manifest says, and no longer says
// what the manifest said last time. A JSON merge patch (RFC 7386): null removes a key, lists are replaced as a whole.

import { isDeepStrictEqual } from "node:util";

type Tree = Record<string, unknown>;

/**
 * `original` is the manifest as last applied ({} when unknown), `modified` the manifest now, `live` the server's object.
 * An empty result means that nothing is to be changed.
 */
export function threeWayMergePatch(original: Tree, modified: Tree, live: Tree): Tree {
  const patch: [string, unknown][] = [];
  for (const [key, wanted] of Object.entries(modified)) {
    if (wanted === null || wanted === undefined) continue;
    const change = changeOf(own(original, key), wanted, own(live, key));
    if (change !== undefined) patch.push([key, change]);
  }
  for (const [key, last] of Object.entries(original)) {
    const wanted = own(modified, key);
    const given = wanted !== undefined && wanted !== null;
    // A null that was null before says nothing new; a key that is not there needs no removal.
    if (!given && last !== null && own(live, key) !== undefined) patch.push([key, null]);
  }
  // fromEntries defines properties, so that a key called `__proto__` stays a key.
  return Object.fromEntries(patch);
}

/** What the tree itself says: `constructor` and `__proto__` are keys like any other. */
const own = (tree: Tree, key: string): unknown => (Object.hasOwn(tree, key) ? tree[key] : undefined);

function changeOf(original: unknown, wanted: unknown, live: unknown): unknown {
  if (isTree(wanted) && isTree(live)) {
    const inner = threeWayMergePatch(isTree(original) ? original : {}, wanted, live);
    return Object.keys(inner).length > 0 ? inner : undefined;
  }
  if (isDeepStrictEqual(wanted, live)) return undefined;
  // The server fills defaults into list items. While the manifest's list is what it was and the live one says at least as
  // much, replacing it would only throw away what others have set there.
  if (Array.isArray(wanted) && isDeepStrictEqual(original, wanted) && covers(live, wanted)) return undefined;
  return isTree(wanted) ? withoutNulls(wanted) : wanted;
}

/** True when `live` has everything that `wanted` says, item by item; objects may have more keys. */
function covers(live: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(live) && live.length === wanted.length && wanted.every((item, index) => covers(live[index], item))
    );
  }
  if (isTree(wanted)) {
    return (
      isTree(live) && Object.entries(wanted).every(([key, value]) => value === null || covers(own(live, key), value))
    );
  }
  return isDeepStrictEqual(live, wanted);
}

function withoutNulls(tree: Tree): Tree {
  const entries = Object.entries(tree).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([key, value]) => [key, isTree(value) ? withoutNulls(value) : value]));
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
