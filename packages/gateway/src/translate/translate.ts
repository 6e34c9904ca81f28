// The translation of everything at once: a translator that is told all objects in one go.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { GatewayObjects } from "./gateway-objects.ts";
import type { ObjectKind } from "./object-store.ts";
import type { TranslateOptions } from "./translate-options.ts";
import { type Translation, Translator } from "./translator.ts";

/** Pure: the same input gives the same output, and nothing is changed. */
export function translate(objects: GatewayObjects, options: TranslateOptions): Translation {
  const translator = new Translator();
  for (const [kind, all] of Object.entries(objects) as [ObjectKind, Iterable<KubeObject>][]) {
    for (const current of all) translator.change(kind, { current });
  }
  return translator.translate(options);
}
