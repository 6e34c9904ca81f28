// What Traefik's API would show of a golden file's objects.

import { join } from "node:path";
import { buildTraefikView } from "../build-traefik-view.ts";
import { translate } from "../translate/translate.ts";
import { optionsFor, pickObjects, readObjects } from "./fixtures.ts";

/** `fixture`: NAME of translate/testdata/NAME.in.yaml. */
export function viewOf(fixture: string) {
  const objects = readObjects(join(import.meta.dirname, "../translate/testdata", `${fixture}.in.yaml`));
  const translation = translate(pickObjects(objects), optionsFor(objects));
  return { translation, view: buildTraefikView(translation) };
}
