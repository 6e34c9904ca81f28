// How a patch that cannot be applied is refused.

import { StatusError } from "@gatehouse/apimachinery/status-error";

/** 422: a well-formed patch that does not fit the object, e.g. a failed `test` or a list item without its merge key. */
export function unprocessable(detail: string): StatusError {
  return new StatusError({
    code: 422,
    reason: "Invalid",
    message: `the server rejected our request due to an error in our request: ${detail}`,
  });
}
