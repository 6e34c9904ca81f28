// GatewayClasses: which are ours, and whether we can honour them.

import type { GatewayClass } from "@gatehouse/gateway-api/gateway-class";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import type { GatewayObjects } from "./gateway-objects.ts";
import { supportedFeatures } from "./supported-features.ts";
import type { TranslateOptions } from "./translate-options.ts";

export interface ProcessedGatewayClass {
  gatewayClass: GatewayClass;
  accepted: DesiredCondition;
  /** Sorted by name, as the API asks. */
  supportedFeatures: { name: string }[];
}

/** The classes that name our controller, by name. */
export function processGatewayClasses(
  objects: GatewayObjects,
  options: TranslateOptions,
): Map<string, ProcessedGatewayClass> {
  const processed = new Map<string, ProcessedGatewayClass>();
  for (const gatewayClass of objects.gatewayClasses) {
    if (gatewayClass.spec.controllerName !== options.controllerName) continue;
    processed.set(gatewayClass.metadata.name, {
      gatewayClass,
      accepted: accept(gatewayClass),
      supportedFeatures: supportedFeatures(options.ownAddresses).map((name) => ({ name })),
    });
  }
  return processed;
}

function accept({ spec }: GatewayClass): DesiredCondition {
  if (!spec.parametersRef) return holds("Accepted", "Accepted", "The class is served by this controller");
  const { kind, name } = spec.parametersRef;
  const message = `spec.parametersRef names ${kind} "${name}", but this controller has no parameters: remove it`;
  return fails("Accepted", "InvalidParameters", message);
}
