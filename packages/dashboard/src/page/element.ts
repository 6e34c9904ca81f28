// Building the page's elements. Text only ever becomes text nodes: nothing the API says can be markup.

type Child = Node | string | undefined;

/** An element with attributes and children; children that are undefined are left out. */
export function element(name: string, attributes: Record<string, string> = {}, ...children: Child[]): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

export type Tone = "ok" | "warn" | "bad" | "none";

export function pill(text: string, tone: Tone): HTMLElement {
  return element("span", { class: "pill", "data-tone": tone }, text);
}

export function empty(text: string): HTMLElement {
  return element("p", { class: "empty" }, text);
}

/** A table whose rows turn into blocks on a narrow screen; the first cell of each row is its header. */
export function table(caption: string, columns: readonly string[], rows: readonly (readonly Node[])[]): HTMLElement {
  const head = element("tr", {}, ...columns.map((column) => element("th", { scope: "col" }, column)));
  const body = rows.map((cells) =>
    element(
      "tr",
      {},
      ...cells.map((cell, index) => {
        const label = { "data-label": columns[index] ?? "" };
        const content = element("div", {}, cell);
        return index === 0 ? element("th", { scope: "row", ...label }, content) : element("td", label, content);
      }),
    ),
  );
  return element(
    "div",
    { class: "table" },
    element("table", {}, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body)),
  );
}

export function fragment(...children: Child[]): DocumentFragment {
  const made = document.createDocumentFragment();
  made.append(...children.filter((child) => child !== undefined));
  return made;
}
