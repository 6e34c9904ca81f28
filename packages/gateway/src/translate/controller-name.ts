// Who we are in statuses and GatewayClasses.

/** The controller name that Traefik's GatewayClass names. */
export const controllerName = "traefik.io/gateway-controller";
