/**
 * Reads the `Link` header in which a registry names the next page.
 *
 * RFC 8288, section 3: `<target>; rel="next"`, several links separated by commas. Some registries omit the angle
 * brackets, which is accepted for a single link.
 */
import * as Option from "effect/Option"
import { maxLength, scan } from "./scanner.ts"

/** In characters. A longer header is not parsed to its end. */
export const longestLink = maxLength

const target = /[^<]*<([^<>]*)>/y
const bareTarget = /\s*([^\s;,<>"]+)(?=\s*;)/y
const parameter = /\s*;[\s;]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\[^])*)"|([^\s",;<>]*)))?/y

/**
 * The target of the link to the next page, as written. If a link has several `rel`, the first one counts.
 */
export const nextPage = (header: string): Option.Option<string> => {
  const { atEnd, take } = scan(header)
  const links = header.includes("<") ? target : bareTarget
  while (!atEnd()) {
    const link = take(links)
    if (link === null) return Option.none()
    let relation: string | undefined
    for (let found = take(parameter); found !== null; found = take(parameter)) {
      if (found[1]?.toLowerCase() === "rel") relation ??= found[2] ?? found[3]
    }
    if (relation?.toLowerCase().split(/\s+/).includes("next") === true) return Option.some(link[1] ?? "")
  }
  return Option.none()
}
