// The label on everything that `gatehouse up` installs: by it `down` knows on a shared cluster what it may take away.

export const installedMark = { "gatehouse.dev/installed-by": "up" } as const;

/** As a label selector. */
export const installedSelector = Object.entries(installedMark)
  .map((pair) => pair.join("="))
  .join(",");
