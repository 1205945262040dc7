/**
 * Whether a failed request may be sent again, judged by the failure.
 */

/**
 * Whether a failed request may be sent again.
 *
 * - `never`: another attempt would fail as well.
 * - `unprocessed`: the request was not carried out.
 * - `uncertain`: the request may have been carried out.
 */
export type Repeat = "never" | "unprocessed" | "uncertain"
