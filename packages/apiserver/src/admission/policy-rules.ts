// All that is loaded with the first admission policy (see admit.ts).

export { enforcePolicies } from "./enforce-policies.ts";
export { checkPolicyTypes } from "./check-policy-types.ts";
export { validateBinding, validatePolicy } from "./validate-policy.ts";
