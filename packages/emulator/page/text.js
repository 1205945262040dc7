// @ts-check
/**
 * Figures, times and digests as people read them.
 */

const units = ["B", "kB", "MB", "GB", "TB"]

/**
 * A size in the unit that suits it: `12.3 MB`.
 *
 * @param {number} size
 */
export const bytes = (size) => {
  let scaled = size
  let unit = 0
  // Not 1000: 999,950 bytes would be 1000 kB once rounded.
  while (scaled >= 999.95 && unit < units.length - 1) {
    scaled /= 1000
    unit += 1
  }
  return `${unit === 0 || scaled >= 100 ? Math.round(scaled) : Number(scaled.toFixed(1))} ${units[unit]}`
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} several
 */
export const count = (number, one, several = `${one}s`) =>
  `${number.toLocaleString("en")} ${number === 1 ? one : several}`

/**
 * A digest with the first 12 digits of its hash.
 *
 * @param {string} digest
 */
export const shortDigest = (digest) => {
  const [algorithm = "", hash = ""] = digest.split(":", 2)
  return `${algorithm}:${hash.slice(0, 12)}`
}

/**
 * A path or a query with the digests in it in short.
 *
 * @param {string} text
 */
export const shortDigests = (text) => text.replace(/(sha(?:256|512)(?::|\/|%3A)[0-9a-f]{12})[0-9a-f]{52,}/gi, "$1…")

/**
 * A time without its fraction, in UTC: `2026-01-31 23:59:59`.
 *
 * @param {string} time
 */
export const time = (time) => time.slice(0, 19).replace("T", " ")

/**
 * How long a request took.
 *
 * @param {number} millis
 */
export const elapsed = (millis) =>
  millis < 10
    ? `${millis.toFixed(1)} ms`
    : millis < 10_000
      ? `${Math.round(millis)} ms`
      : `${Math.round(millis / 1000)} s`

/** @type {ReadonlyArray<readonly [unit: string, millis: number]>} */
const spans = [
  ["days", 86_400_000],
  ["hours", 3_600_000],
  ["minutes", 60_000],
  ["seconds", 1000]
]

/**
 * A duration as the API writes it, in the largest unit that divides it: `7 days` for `604800000 millis`.
 *
 * @param {string} duration
 */
export const duration = (duration) => {
  const millis = /^(\d+) millis$/.exec(duration)?.[1]
  const fit = spans.find(([, length]) => Number(millis) % length === 0)
  return millis === undefined || fit === undefined ? duration : `${Number(millis) / fit[1]} ${fit[0]}`
}
