// The sections of the page, each a pure function of what the API said.

import { element, empty, fragment, pill, table, type Tone } from "./element.ts";
import type { EntryPoint, Router, Server, Service, Snapshot } from "./gateway-api.ts";

const tones: Record<string, Tone> = { enabled: "ok", warning: "warn", disabled: "bad" };
const words: Record<string, string> = { enabled: "OK", warning: "Warning", disabled: "Not accepted" };

export function overview({ entryPoints, routers, services }: Snapshot): Node {
  const servers = services.flatMap((service) => Object.values(service.serverStatus ?? {}));
  const up = servers.filter((status) => status === "UP").length;
  return fragment(
    card("Entrypoints", String(entryPoints.length)),
    countCard("Routers", routers),
    countCard("Services", services),
    card(
      "Servers up",
      `${up}`,
      ` of ${servers.length}`,
      servers.length === up ? undefined : pill(`${servers.length - up} down`, "bad"),
    ),
  );
}

function countCard(title: string, items: readonly { status: string }[]): Node {
  const count = (status: string): number => items.filter((item) => item.status === status).length;
  const [warnings, errors] = [count("warning"), count("disabled")];
  return card(
    title,
    String(items.length),
    "",
    errors > 0 ? pill(`${errors} not accepted`, "bad") : undefined,
    warnings > 0 ? pill(`${warnings} with warnings`, "warn") : undefined,
  );
}

function card(title: string, figure: string, after = "", ...pills: (Node | undefined)[]): Node {
  const shown = element("p", { class: "figure" }, figure, element("small", {}, after));
  return element("div", { class: "card" }, element("h3", {}, title), shown, ...pills);
}

export function entryPointList(entryPoints: readonly EntryPoint[]): Node {
  if (entryPoints.length === 0) return empty("The gateway has no entrypoints.");
  const tiles = entryPoints.map(({ name, address, gatehouse }) =>
    element(
      "li",
      { class: "card" },
      element("h3", {}, name),
      element("p", { class: "figure" }, address.replace(/\/tcp$/, "")),
      element("ul", {}, ...(gatehouse?.addresses ?? []).map((each) => element("li", {}, each))),
    ),
  );
  return element("ul", { class: "tiles" }, ...tiles);
}

/** `filter`: text that a router's words must contain. */
export function routerTable(routers: readonly Router[], filter: string): Node {
  if (routers.length === 0) {
    return empty("No routers yet. Apply a Gateway and a route that names it as parent, and they appear here.");
  }
  const wanted = filter.trim().toLowerCase();
  const shown = routers.filter((router) => JSON.stringify(router).toLowerCase().includes(wanted));
  if (shown.length === 0) return empty(`None of the ${routers.length} routers contains “${filter.trim()}”.`);
  return table("Routers", ["Rule", "Status", "Route", "Entrypoint", "Service"], shown.map(routerRow));
}

function routerRow(router: Router): Node[] {
  const { protocol, error = [], entryPoints = [], service, gatehouse, name } = router;
  const rule = protocol === "udp" ? "every datagram" : router.rule || "no rule that can be read";
  const addresses = gatehouse?.addresses ?? [];
  return [
    fragment(element("code", {}, rule), element("span", { class: "below" }, name)),
    fragment(...conditionPills(router), ...error.map((text) => element("p", { class: "message" }, text))),
    gatehouse
      ? fragment(
          `${gatehouse.namespace}/${gatehouse.name}`,
          element(
            "span",
            { class: "below" },
            `${gatehouse.kind}, rule ${gatehouse.rule}, Gateway ${gatehouse.gateway}`,
          ),
        )
      : fragment("–"),
    fragment(
      entryPoints.join(", ") || "–",
      ...addresses
        .filter((each) => !entryPoints.includes(each))
        .map((each) => element("span", { class: "below" }, each)),
    ),
    serviceCell(service, name),
  ];
}

/** A router's own weighted service has a long name that says nothing new: its parts are in the table of services. */
function serviceCell(service: string | undefined, router: string): Node {
  if (!service) return fragment("–");
  const isOwn = service.startsWith(`${router.replace(/@.*$/, "")}-wrr`);
  return isOwn ? element("span", { title: service }, "several, by weight") : element("code", {}, service);
}

/** Acceptance with its reason, and what else is not as it should be. */
function conditionPills({ status, gatehouse }: Router): Node[] {
  const conditions = gatehouse?.parents.flatMap((parent) => parent.conditions) ?? [];
  const accepted = conditions.find(({ type }) => type === "Accepted");
  if (!accepted) return [pill(words[status] ?? status, tones[status] ?? "none")];
  const others = conditions.filter(({ type, status: value }) =>
    type === "PartiallyInvalid" ? value === "True" : type !== "Accepted" && value !== "True",
  );
  return [
    accepted.status === "True" ? pill("Accepted", "ok") : pill(accepted.reason, "bad"),
    ...others.map(({ type, reason }) => pill(type === "PartiallyInvalid" ? type : reason, "warn")),
    ...(status === "warning" && others.length === 0 ? [pill("Not served", "warn")] : []),
  ];
}

export function serviceTable(services: readonly Service[]): Node {
  if (services.length === 0) return empty("No services yet: they appear with the first router that forwards requests.");
  return table("Services", ["Service", "Status", "Servers", "Used by"], services.map(serviceRow));
}

function serviceRow({ name, type = "", status, error = [], usedBy = [], gatehouse, ...rest }: Service): Node[] {
  const origin = gatehouse ? `Service ${gatehouse.namespace}/${gatehouse.name}, port ${gatehouse.port}` : type;
  return [
    fragment(element("code", {}, name), element("span", { class: "below" }, origin)),
    fragment(
      pill(words[status] ?? status, tones[status] ?? "none"),
      ...error.map((text) => element("p", { class: "message" }, text)),
    ),
    servers({ name, status, ...(gatehouse ? { gatehouse } : {}), ...rest }),
    fragment(`${usedBy.length} ${usedBy.length === 1 ? "router" : "routers"}`),
  ];
}

function servers({ loadBalancer, weighted, serverStatus = {}, gatehouse }: Service): Node {
  if (weighted) {
    const shares = (weighted.services ?? []).map(({ name, weight = 1, status }) =>
      element(
        "li",
        {},
        pill(`weight ${weight}`, status ? "bad" : "none"),
        " ",
        status ? `answers ${status}` : element("code", {}, name),
      ),
    );
    return element("ul", { class: "servers" }, ...shares);
  }
  const places = (loadBalancer?.servers ?? []).map(placeOf).filter((place) => place !== "");
  if (places.length === 0) return fragment("no servers");
  const rows = places.map((place) => {
    const known = gatehouse?.servers.find((server) => placeOf(server) === place);
    const isUp = (serverStatus[place] ?? "UP") === "UP" && known?.state !== "down";
    const word = known?.state === "draining" ? "Draining" : isUp ? "Up" : "Down";
    const tone = known?.state === "draining" ? "warn" : isUp ? "ok" : "bad";
    return element(
      "li",
      {},
      pill(word, tone),
      " ",
      element("code", {}, place),
      known?.pod ? element("span", { class: "below" }, known.pod) : undefined,
    );
  });
  return element("ul", { class: "servers" }, ...rows);
}

const placeOf = ({ url, address }: Server): string => url ?? address ?? "";
