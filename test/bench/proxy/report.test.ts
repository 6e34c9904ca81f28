import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { contestsFrom, type Figures, nothing } from "./figures.ts";
import { parseOptions } from "./options.ts";
import { judge, renderRow, type Report, type RowReport } from "./report.ts";
import { rows } from "./rows.ts";
import { renderSvg } from "./svg.ts";

const round = (figures: Partial<Figures>): Figures[] => [{ ...nothing, ...figures }];
const rowNamed = (name: string): (typeof rows)[number] => rows.find((row) => row.name === name)!;

/** The row's verdicts when ours costs 10 and the peers what is given. */
function verdicts(name: string, peers: Record<string, number>): [string, boolean][] {
  const measured = Object.entries({ ours: 10, ...peers }).map(([name, cpu]) => ({
    name,
    hosts: 0,
    rounds: round({ cpu }),
  }));
  return judge(rowNamed(name), contestsFrom(measured)).map(({ text, met }) => [text, met]);
}

const report = (...done: RowReport[]): Report => ({
  date: "2026-12-01",
  machine: "2 cores <of some kind> & more",
  busy: 0,
  rounds: 1,
  seconds: 1,
  versions: {},
  missing: {},
  rows: done,
});

const plain: RowReport = {
  name: "keepalive-64",
  title: "small",
  load: "wrk",
  absent: { caddy: "it broke" },
  contests: contestsFrom([
    { name: "ours", hosts: 0, rounds: round({ cpu: 10 }) },
    { name: "nginx", hosts: 0, rounds: round({ cpu: 15, errors: 2 }) },
  ]),
  bars: [],
};

describe("bars", () => {
  it("are held against the best of their peers", () => {
    const both = "CPU against nginx and haproxy";
    assert.deepEqual(verdicts("keepalive-64", { nginx: 10, haproxy: 12 }), [[both, true]]);
    assert.deepEqual(verdicts("keepalive-64", { nginx: 12, haproxy: 9 }), [[both, false]]);
  });

  it("are not spoken of when none of their peers took part", () => {
    assert.deepEqual(verdicts("keepalive-64", { envoy: 10 }), []);
  });

  it("of memory and growth have an upper end", () => {
    const idle = (value: number) =>
      contestsFrom([{ name: "ours", hosts: 0, rounds: round({ idle: value, rss: 1000 }) }]);
    assert.deepEqual(
      [2.9, 3.1].map((value) => judge(rowNamed("memory"), idle(value)).map(({ met }) => met)),
      [
        [true, true],
        [true, false],
      ],
    );
  });
});

describe("text", () => {
  it("has the columns that were measured, the ratio, and what went wrong", () => {
    const text = renderRow(plain);
    assert.match(text, /^ +CPU us +ratio$/m);
    assert.match(text, /^ +ours +10\.0$/m);
    assert.match(text, /^ +nginx +15\.0 +1\.50 +2 requests failed$/m);
    assert.match(text, /without caddy: it broke/);
  });

  it("says why a row was skipped, and nothing else", () => {
    assert.match(
      renderRow({ ...plain, skipped: "wrk is not installed", contests: [] }),
      /\(wrk\)\n {2}skipped: wrk is not installed\n$/,
    );
  });
});

describe("picture", () => {
  it("is a document whose elements are closed and whose text is escaped", () => {
    const svg = renderSvg(report(plain));
    assert.match(svg, /&lt;of some kind&gt; &amp; more/);
    const open: string[] = [];
    for (const [, end, name = "", alone] of svg.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
      if (end) assert.equal(open.pop(), name);
      else if (!alone) open.push(name);
    }
    assert.deepEqual(open, []);
  });

  it("draws a bar for each contestant, as long as its cost", () => {
    const lengths = [...renderSvg(report(plain)).matchAll(/<rect class="(?:ours|peer)"[^>]* width="([\d.]+)"/g)];
    const [ours = 0, nginx = 0] = lengths.map(([, length]) => Number(length));
    assert.equal((nginx / ours).toFixed(2), "1.50");
  });

  it("draws a line over the hosts, and leaves out who is far above", () => {
    const cost = (name: string, hosts: number, cpu: number) => ({ name, hosts, rounds: round({ cpu }) });
    const contests = contestsFrom([
      cost("ours", 10, 10),
      cost("nginx", 10, 12),
      cost("caddy", 10, 90),
      cost("ours", 1000, 10),
      cost("nginx", 1000, 14),
      cost("caddy", 1000, 95),
    ]);
    const svg = renderSvg(report({ ...plain, contests }));
    assert.equal(svg.match(/<polyline/g)?.length, 2);
    assert.match(svg, /caddy: above 3 times ours/);
  });

  it("has no panel for a row that was skipped", () => {
    assert.doesNotMatch(renderSvg(report({ ...plain, skipped: "no wrk", contests: [] })), /class="heading"/);
  });
});

describe("options", () => {
  it("choose rows and peers, in the order of the bench", () => {
    const options = parseOptions(["--rows", "down,keepalive-1", "--peers", "nginx", "--rounds", "3", "-o", "json"]);
    assert.ok(typeof options === "object");
    const names = options.rows.map(({ name }) => name);
    assert.deepEqual(
      [names, options.peers, options.rounds, options.seconds, options.json],
      [["keepalive-1", "down"], ["nginx"], 3, 2, true],
    );
  });

  it("that make no sense are named", () => {
    assert.match(String(parseOptions(["--rows", "downn"])), /no row "downn"/);
    assert.match(String(parseOptions(["--peers", "apache"])), /no peer "apache"/);
    assert.match(String(parseOptions(["--rounds", "0"])), /--rounds: "0"/);
    assert.match(String(parseOptions(["-o", "xml"])), /"xml"/);
    assert.match(String(parseOptions(["--speed", "1"])), /--speed/);
  });
});
