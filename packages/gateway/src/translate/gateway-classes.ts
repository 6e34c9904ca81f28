// GatewayClasses: which are ours, and whether we can honour them.

import type { GatewayClass } from "@gatehouse/gateway-api/gateway-class";
import { controllerName } from "./controller-name.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import { supportedFeatures } from "./supported-features.ts";
import type { GatewayApi, TranslateOptions } from "./translate-options.ts";

export interface ProcessedGatewayClass {
  gatewayClass: GatewayClass;
  accepted: DesiredCondition;
  /** `accepted` among them. */
  conditions: DesiredCondition[];
  /** Sorted by name, as the API asks. */
  supportedFeatures: { name: string }[];
}

/** The classes that name our controller, by name. */
export function processGatewayClasses(
  gatewayClasses: Iterable<GatewayClass>,
  options: Pick<TranslateOptions, "api" | "pool">,
): Map<string, ProcessedGatewayClass> {
  const processed = new Map<string, ProcessedGatewayClass>();
  for (const gatewayClass of gatewayClasses) {
    if (gatewayClass.spec.controllerName !== controllerName) continue;
    const accepted = accept(gatewayClass);
    processed.set(gatewayClass.metadata.name, {
      gatewayClass,
      accepted,
      conditions: [accepted, supportedVersion(options.api)],
      supportedFeatures: supportedFeatures(options.api, options.pool !== undefined).map((name) => ({ name })),
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

/** Definitions of other releases are served as well as can be (GatewayClassConditionStatusSupportedVersion). */
function supportedVersion({ release, channel, unsupported }: GatewayApi): DesiredCondition {
  if (unsupported !== undefined) return fails("SupportedVersion", "UnsupportedVersion", unsupported);
  return holds(
    "SupportedVersion",
    "SupportedVersion",
    `Gateway API ${release.replace(/\.\d+$/, "")}, ${channel} channel`,
  );
}
