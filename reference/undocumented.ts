/**
 * What a user can reach, and no comment explains.
 */
import type { Export } from "./exports.ts"
import type { Module, Package } from "./read.ts"

/** A schema and the type of its values are one name with one comment, that of the schema. */
const inExport = (module: Module, { comments, line, name, parts }: Export): ReadonlyArray<string> => {
  const at = (line: number) => `${module.path}:${line}`
  const [{ category, since, text }] = comments
  return [
    ...(text === "" ? [`${at(line)} ${name} has no comment`] : []),
    ...(category === undefined ? [`${at(line)} ${name} has no @category`] : []),
    ...(since === undefined ? [`${at(line)} ${name} has no @since`] : []),
    ...parts.flatMap((part) => (part.isDocumented ? [] : [`${at(part.line)} ${part.name} of ${name} has no comment`]))
  ]
}

const inModule = (module: Module): ReadonlyArray<string> => [
  ...(module.comment.text === "" ? [`${module.path}:1 the module has no comment`] : []),
  ...(module.comment.since === undefined ? [`${module.path}:1 the module has no @since`] : []),
  ...(module.summary === "" ? [`${module.path}:1 index.ts does not say what the module is`] : []),
  ...module.exports.flatMap((one) => inExport(module, one))
]

/** One line for each thing that is missing, with the place. */
export const undocumented = (packages: ReadonlyArray<Package>): ReadonlyArray<string> =>
  packages.flatMap(({ modules }) => modules.flatMap(inModule))
