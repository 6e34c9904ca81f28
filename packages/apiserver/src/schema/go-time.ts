// Times as Go reads them (time.Parse with the layouts of metav1.Time and metav1.MicroTime), and its words for those it cannot read.

/** The elements of a layout in order: how it is written, and what stands for it. */
type Element = [written: string, pattern: RegExp];

const day: Element[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d{2}/],
  ["-", /^-/],
  ["02", /^\d{2}/],
  ["T", /^T/],
  ["15", /^\d{2}/],
  [":", /^:/],
  ["04", /^\d{2}/],
  [":", /^:/],
];
const zone: Element = ["Z07:00", /^(?:Z|[+-]\d{2}:\d{2})/];
const layouts: Record<"second" | "micro", Element[]> = {
  // A fraction is read whether the layout has one or not.
  second: [...day, ["05", /^\d{2}(?:[.,]\d+)?/], zone],
  micro: [...day, ["05", /^\d{2}/], [".000000", /^[.,]\d{6}(?!\d)/], zone],
};

/** Go's message for a text that is no time of this precision; undefined for one that is. */
export function timeFault(text: string, precision: "second" | "micro"): string | undefined {
  const layout = layouts[precision];
  const quoted = JSON.stringify(text);
  let rest = text;
  for (const [written, pattern] of layout) {
    const found = pattern.exec(rest);
    if (!found) {
      const wanted = layout.map(([each]) => each).join("");
      return `parsing time ${quoted} as ${JSON.stringify(wanted)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(written)}`;
    }
    rest = rest.slice(found[0].length);
  }
  if (rest !== "") return `parsing time ${quoted}: extra text: ${JSON.stringify(rest)}`;
  const out = outOfRange(text);
  return out && `parsing time ${quoted}: ${out} out of range`;
}

function outOfRange(text: string): string | undefined {
  const [year = 0, month = 0, date = 0, hour = 0, minute = 0, second = 0] = (text.match(/\d+/g) ?? []).map(Number);
  if (month < 1 || month > 12) return "month";
  if (hour > 23) return "hour";
  if (minute > 59) return "minute";
  if (second > 59) return "second";
  const lastOfMonth = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  return date < 1 || date > lastOfMonth ? "day" : undefined;
}
