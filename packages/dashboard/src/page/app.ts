// The dashboard: reads the gateway's API every two seconds and whenever the page is looked at again, and redraws the
// sections that changed (a section that did not change keeps its focus and selection).

import { readSnapshot, type Snapshot } from "./gateway-api.ts";
import { entryPointList, overview, routerTable, serviceTable } from "./sections.ts";

const pollMs = 2_000;

const byId = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element "${id}"`);
  return found;
};

const drawn = new Map<string, string>();

/** Redraws a section when what it shows has changed. */
function draw(id: string, data: unknown, make: () => Node): void {
  const text = JSON.stringify(data);
  if (drawn.get(id) === text) return;
  drawn.set(id, text);
  byId(id).replaceChildren(make());
}

const filter = byId("filter") as HTMLInputElement;
let snapshot: Snapshot | undefined;
let reading = false;
let timer: number | undefined;

function show(): void {
  if (!snapshot) return;
  const { version, entryPoints, routers, services } = snapshot;
  const current = snapshot;
  byId("version").textContent = version.Version ? `version ${version.Version}` : "";
  draw("overview", snapshot, () => overview(current));
  draw("entrypoints", entryPoints, () => entryPointList(entryPoints));
  draw("routers", [routers, filter.value], () => routerTable(routers, filter.value));
  draw("services", services, () => serviceTable(services));
}

function say(state: "live" | "lost", problem: string): void {
  const live = byId("live");
  const word = state === "live" ? "Live" : "No connection";
  // Only real changes: each one is read aloud.
  if (live.textContent !== word) live.textContent = word;
  live.dataset.state = state;
  const box = byId("problem");
  if (box.textContent !== problem) box.textContent = problem;
  box.hidden = problem === "";
}

async function refresh(): Promise<void> {
  if (reading) return;
  reading = true;
  clearTimeout(timer);
  try {
    snapshot = await readSnapshot();
    show();
    say("live", "");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const stale = snapshot ? " What is shown below may be out of date." : "";
    say("lost", `The gateway's API cannot be read (${why}). Trying again every ${pollMs / 1000} seconds.${stale}`);
  }
  reading = false;
  if (!document.hidden) timer = setTimeout(() => void refresh(), pollMs);
}

filter.addEventListener("input", show);
addEventListener("focus", () => void refresh());
document.addEventListener("visibilitychange", () => void refresh());
void refresh();
