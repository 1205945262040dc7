/**
 * Whether a failed request may be sent again, as far as the failure tells.
 */

/**
 * Whether a failed request may be sent again.
 *
 * - `never`: another attempt would fail as well.
 * - `unprocessed`: the request was not carried out.
 * - `uncertain`: the request may have been carried out.
 */
export type Repeat = "never" | "unprocessed" | "uncertain"
