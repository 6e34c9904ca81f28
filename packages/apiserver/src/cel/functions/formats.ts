// Kubernetes' format library: `format.dns1123Label().validate(text)` is an optional list of what is wrong with the text.

import { matchesFormat } from "../../schema/formats.ts";
import type { Meter } from "../../meter.ts";
import { listOf, optionalOf, simpleType } from "../types.ts";
import { List, none, Opaque, Optional } from "../values.ts";
import { fn, method, type Overload } from "./overload.ts";

type Check = (text: string) => string[];

class Format extends Opaque {
  readonly kind = "format";
  readonly name: string;
  readonly check: Check;

  constructor(name: string, check: Check) {
    super();
    this.name = name;
    this.check = check;
  }

  equals(other: Opaque): boolean {
    return other instanceof Format && other.name === this.name;
  }
}

interface TextRule {
  form: string;
  words: string;
  examples: string[];
  max: number;
}

const label: TextRule = {
  form: "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
  words:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  examples: ["my-name", "123-abc"],
  max: 63,
};
const subdomain: TextRule = {
  form: "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
  words:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  examples: ["example.com"],
  max: 253,
};
const oldLabel: TextRule = {
  form: "[a-z]([-a-z0-9]*[a-z0-9])?",
  words:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  examples: ["my-name", "abc-123"],
  max: 63,
};
const labelValue: TextRule = {
  form: "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
  words:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ["MyValue", "my_value", "12345"],
  max: 63,
};
const qualifiedPart: TextRule = {
  form: "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
  words:
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ["MyName", "my.name", "123-abc"],
  max: 63,
};

/** The faults of `text` in apimachinery's words. */
function textFaults({ form, words, examples, max }: TextRule, text: string): string[] {
  const faults = text.length > max ? [`must be no more than ${max} bytes`] : [];
  if (!new RegExp(`^(?:${form})$`).test(text)) {
    const list = examples.map((example) => `'${example}'`).join(",  or ");
    faults.push(`${words} (e.g. ${list}, regex used for validation is '${form}')`);
  }
  return faults;
}

const byRule =
  (rule: TextRule): Check =>
  (text) =>
    textFaults(rule, text);

/** Prefixes of generated names: what follows makes a trailing dash good. */
const byPrefix =
  (rule: TextRule): Check =>
  (text) =>
    textFaults(rule, text.endsWith("-") ? `${text.slice(0, -1)}a` : text);

function qualifiedName(text: string): string[] {
  const parts = text.split("/");
  if (parts.length > 2) {
    return [
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ];
  }
  const prefix = parts.length === 2 ? textFaults(subdomain, parts[0] ?? "").map((fault) => `prefix part ${fault}`) : [];
  return [...prefix, ...textFaults(qualifiedPart, parts.at(-1) ?? "").map((fault) => `name part ${fault}`)];
}

const byFormat =
  (format: string, fault: string): Check =>
  (text) =>
    matchesFormat(format, text) ? [] : [fault];

const checks: Record<string, Check> = {
  dns1123Label: byRule(label),
  dns1123Subdomain: byRule(subdomain),
  dns1035Label: byRule(oldLabel),
  qualifiedName,
  dns1123LabelPrefix: byPrefix(label),
  dns1123SubdomainPrefix: byPrefix(subdomain),
  dns1035LabelPrefix: byPrefix(oldLabel),
  labelValue: byRule(labelValue),
  uri: byFormat("uri", "invalid URI"),
  uuid: byFormat("uuid", "does not match the UUID format"),
  byte: byFormat("byte", "invalid base64"),
  date: byFormat("date", "invalid date"),
  datetime: byFormat("datetime", "invalid datetime"),
};

const formats = new Map(Object.entries(checks).map(([name, check]) => [name, new Format(name, check)]));

function validate({ check }: Format, text: string, meter: Meter): Optional {
  // The rules are fixed and short; twice the text is what the longest of them takes.
  meter.spendText(2 * text.length);
  const faults = check(text.length > 2000 ? text.slice(0, 2000) : text);
  return faults.length === 0 ? none : new Optional(List.of(faults));
}

/** The functions of this file. */
export const formatLibrary: Overload[] = [
  ...[...formats].map(([name, format]) => fn(`format.${name}()`, "format", () => format)),
  fn(
    "format.named(string)",
    () => optionalOf(simpleType("format")),
    (name: string) => {
      const format = formats.get(name);
      return format ? new Optional(format) : none;
    },
  ),
  method("validate(format, string)", () => optionalOf(listOf(simpleType("string"))), validate),
];
