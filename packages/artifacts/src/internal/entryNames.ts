/**
 * Names of entries in an archive. They are compared with each other, but never joined to the path of a folder.
 */
import * as Option from "effect/Option"

/** A name without redundant parts: `./`, doubled and trailing slashes. */
export const clean = (name: string): string =>
  name
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")

/** The target of a symbolic link, as a name in the archive; none if it leads out of the archive. */
export const followed = (link: string, target: string): Option.Option<string> => {
  if (target.startsWith("/")) return Option.none()
  const parts = clean(link).split("/").slice(0, -1)
  for (const part of clean(target).split("/")) {
    if (part !== "..") parts.push(part)
    else if (parts.pop() === undefined) return Option.none()
  }
  return Option.some(parts.join("/"))
}
