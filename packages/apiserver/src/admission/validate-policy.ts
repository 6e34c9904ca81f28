// Whether a policy and a binding can be used (kubernetes pkg/apis/admissionregistration/validation, in its words).

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { isDeepStrictEqual } from "node:util";
import { duplicate, forbiddenField, invalidValue, notSupported, required, tooMany } from "../schema/field-cause.ts";
import { dns1035Faults, nameCauses, pathSegmentFaults, subdomainFaults } from "../strategies/names.ts";
import { selectorCauses } from "../strategies/selector.ts";
import { type CompiledExpression, compileSpec } from "./policy-program.ts";
import type { Policy, PolicyBinding, PolicySpec, Validation } from "./policy-types.ts";
import { validateMatch } from "./validate-match.ts";

const maxConditions = 64;
const maxAnnotations = 20;
const maxAnnotationBytes = 5 * 1024;
const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];
const qualifiedName =
  /^(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const qualifiedNameRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/** The causes for which `policy` cannot be used; what its predecessor `old` had already is taken as it is. */
export function validatePolicy(policy: Policy, old: Policy | undefined): StatusCause[] {
  const spec: PolicySpec = policy.spec ?? {};
  const causes: StatusCause[] = [];
  if (spec.paramKind) causes.push(...validateParamKind(spec.paramKind));
  if (!spec.matchConstraints) causes.push(required("spec.matchConstraints"));
  else {
    causes.push(...validateMatch(spec.matchConstraints, "spec.matchConstraints"));
    if (!spec.matchConstraints.resourceRules?.length) causes.push(required("spec.matchConstraints.resourceRules"));
  }
  const unchanged = old !== undefined && isDeepStrictEqual(withoutMatch(spec), withoutMatch(old.spec));
  return unchanged ? causes : [...causes, ...validateExpressions(policy.metadata.name, spec)];
}

const withoutMatch = (spec: PolicySpec): unknown => ({ ...spec, matchConstraints: undefined });

function validateParamKind({ apiVersion, kind }: { apiVersion?: string; kind?: string }): StatusCause[] {
  const causes: StatusCause[] = [];
  const at = "spec.paramKind";
  if (!apiVersion) causes.push(required(`${at}.apiVersion`));
  else if (apiVersion.split("/").length > 2) {
    causes.push(invalidValue(`${at}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  } else {
    const version = apiVersion.split("/").at(-1) ?? "";
    const faults = dns1035Faults(version).map((fault) => invalidValue(`${at}.apiVersion`, version, fault));
    const group = apiVersion.includes("/") ? apiVersion.slice(0, -version.length - 1) : "";
    if (group) causes.push(...nameCauses(`${at}.apiVersion`, group, subdomainFaults));
    causes.push(...faults);
  }
  if (!kind) causes.push(required(`${at}.kind`));
  else {
    const faults = dns1035Faults(kind.toLowerCase());
    causes.push(
      ...faults.map((fault) =>
        invalidValue(`${at}.kind`, kind, `may have mixed case, but should otherwise match: ${fault}`),
      ),
    );
  }
  return causes;
}

function validateExpressions(policyName: string, spec: PolicySpec): StatusCause[] {
  const { auditAnnotations = [], matchConditions = [], validations = [], variables = [] } = spec;
  const causes: StatusCause[] = [];
  const compiled = compileSpec(spec, { hasParams: spec.paramKind !== undefined });
  const fault = (path: string, expression: CompiledExpression | undefined): void => {
    if (expression && "fault" in expression) causes.push(invalidValue(path, expression.source, expression.fault));
  };
  if (matchConditions.length > maxConditions) {
    causes.push(tooMany("spec.matchConditions", matchConditions.length, maxConditions));
  }
  for (const [index, { name, expression }] of matchConditions.entries()) {
    const at = `spec.matchConditions[${index}]`;
    if (!expression.trim()) causes.push(required(`${at}.expression`));
    else fault(`${at}.expression`, compiled.conditions[index]?.expression);
    if (!name) causes.push(required(`${at}.name`));
    else if (!qualifiedName.test(name)) causes.push(invalidValue(`${at}.name`, name, qualifiedNameRule));
  }
  for (const [index, { name, expression }] of variables.entries()) {
    const at = `spec.variables[${index}]`;
    if (!name.trim()) causes.push(required(`${at}.name`, "name is not specified"));
    else if (!isIdentifier(name)) causes.push(invalidValue(`${at}.name`, name, "name is not a valid CEL identifier"));
    if (!expression.trim()) causes.push(required(`${at}.expression`, "expression is not specified"));
    else fault(`${at}.expression`, compiled.variables[index]?.expression);
  }
  if (validations.length + auditAnnotations.length === 0) {
    const detail = "validations or auditAnnotations must contain at least one item";
    causes.push(required("spec.validations", detail), required("spec.auditAnnotations", detail));
  }
  for (const [index, validation] of validations.entries()) {
    const at = `spec.validations[${index}]`;
    if (!validation.expression.trim()) causes.push(required(`${at}.expression`, "expression is not specified"));
    else fault(`${at}.expression`, compiled.validations[index]?.expression);
    if (validation.messageExpression && !validation.messageExpression.trim()) {
      const detail = "must be non-empty if specified";
      causes.push(invalidValue(`${at}.messageExpression`, validation.messageExpression, detail));
    } else fault(`${at}.messageExpression`, compiled.validations[index]?.message);
    causes.push(...validateWords(validation, at));
  }
  causes.push(...validateAnnotations(policyName, auditAnnotations));
  for (const [index, { expression }] of compiled.annotations.entries()) {
    if (auditAnnotations[index]?.valueExpression.trim()) {
      fault(`spec.auditAnnotations[${index}].valueExpression`, expression);
    }
  }
  return causes;
}

const reserved = new Set(
  "as break const continue else false for function if import in let loop namespace null package return true var void while".split(
    " ",
  ),
);

function isIdentifier(name: string): boolean {
  return /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !reserved.has(name);
}

function validateWords({ message, reason }: Validation, at: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (message && !message.trim()) {
    causes.push(invalidValue(`${at}.message`, message, "message must be non-empty if specified"));
  } else if (message && /[\n\r]/.test(message.trim())) {
    causes.push(invalidValue(`${at}.message`, message, "message must not contain line breaks"));
  }
  if (reason !== undefined && !reasons.includes(reason)) {
    causes.push(notSupported(`${at}.reason`, reason, reasons));
  }
  return causes;
}

function validateAnnotations(
  policyName: string,
  annotations: { key: string; valueExpression: string }[],
): StatusCause[] {
  const causes: StatusCause[] = [];
  const path = "spec.auditAnnotations";
  if (annotations.length > maxAnnotations) {
    causes.push(invalidValue(path, annotations, `must not have more than ${maxAnnotations} auditAnnotations`));
  }
  for (const [index, { key, valueExpression }] of annotations.entries()) {
    const at = `${path}[${index}]`;
    const name = `${policyName}/${key}`;
    if (!qualifiedName.test(name)) causes.push(invalidValue(`${at}.key`, name, qualifiedNameRule));
    if (annotations.findIndex((other) => other.key === key) < index) causes.push(duplicate(`${at}.key`, key));
    if (!valueExpression.trim()) {
      causes.push(required(`${at}.valueExpression`, "valueExpression is not specified"));
    } else if (Buffer.byteLength(valueExpression.trim()) > maxAnnotationBytes) {
      causes.push(required(`${at}.valueExpression`, `must not exceed ${maxAnnotationBytes} bytes in length`));
    }
  }
  return causes;
}

const actions = ["Audit", "Deny", "Warn"];
const parameterActions = ["Deny", "Allow"];

/** The causes for which `binding` cannot be used. */
export function validateBinding({ spec }: PolicyBinding): StatusCause[] {
  const causes: StatusCause[] = [];
  if (!spec?.policyName) causes.push(required("spec.policyName"));
  else causes.push(...nameCauses("spec.policyName", spec.policyName, subdomainFaults));
  if (spec?.paramRef) causes.push(...validateParamRef(spec.paramRef));
  if (spec?.matchResources) causes.push(...validateMatch(spec.matchResources, "spec.matchResources"));
  const wanted = spec?.validationActions ?? [];
  for (const [index, action] of wanted.entries()) {
    if (!actions.includes(action)) causes.push(notSupported(`spec.validationActions[${index}]`, action, actions));
  }
  if (wanted.includes("Deny") && wanted.includes("Warn")) {
    const detail =
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
    causes.push(invalidValue("spec.validationActions", wanted, detail));
  }
  if (wanted.length === 0) {
    causes.push(required("spec.validationActions", "at least one validation action is required"));
  }
  return causes;
}

function validateParamRef(ref: NonNullable<PolicyBinding["spec"]["paramRef"]>): StatusCause[] {
  const causes: StatusCause[] = [];
  const at = "spec.paramRef";
  if (ref.name && ref.selector) {
    const detail = "name and selector are mutually exclusive";
    causes.push(forbiddenField(`${at}.name`, detail), forbiddenField(`${at}.selector`, detail));
  }
  if (!ref.name && !ref.selector) causes.push(required(at, "one of name or selector must be specified"));
  if (ref.name) causes.push(...nameCauses(`${at}.name`, ref.name, pathSegmentFaults));
  if (ref.selector) causes.push(...selectorCauses(ref.selector, `${at}.selector`));
  if (!ref.parameterNotFoundAction) causes.push(required(`${at}.parameterNotFoundAction`));
  else if (!parameterActions.includes(ref.parameterNotFoundAction)) {
    causes.push(notSupported(`${at}.parameterNotFoundAction`, ref.parameterNotFoundAction, parameterActions));
  }
  return causes;
}
