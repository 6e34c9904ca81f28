// Views of the translation in force, in Traefik's terms: made when somebody asks, kept until the next translation.

import type { Controller } from "./controller.ts";
import { createRouterNames, type RouterNames } from "./traefik-names.ts";
import { buildTraefikView } from "./build-traefik-view.ts";
import type { TraefikView } from "./traefik-view.ts";
import type { Translation } from "./translate/translator.ts";

export interface ViewCache {
  /** Undefined until the first translation. */
  view(): TraefikView | undefined;
  routerOf: RouterNames;
}

/** `controller` may not be there yet. */
export function createViewCache(controller: () => Controller | undefined): ViewCache {
  const viewOf = perTranslation(buildTraefikView);
  const namesOf = perTranslation(createRouterNames);
  return {
    view: () => viewOf(controller()?.translation),
    routerOf: (listener, route) => namesOf(controller()?.translation)?.(listener, route) ?? "",
  };
}

function perTranslation<T>(
  make: (translation: Translation) => T,
): (translation: Translation | undefined) => T | undefined {
  let last: { of: Translation; made: T } | undefined;
  return (of) => {
    if (of && last?.of !== of) last = { of, made: make(of) };
    return of && last?.made;
  };
}
