/**
 * What the imports of the packages must keep to.
 */
import { floors, importersOfHttp, type Part } from "./floors.ts"
import type { Import } from "./imports.ts"

/** Where a module stands. */
export interface Place {
  readonly part: Part
  /** The number of its floor; the ground is 1. */
  readonly floor: number
}

/** Every part, from the ground up. */
export const parts: ReadonlyArray<Place> = floors.flatMap((floor, index) =>
  floor.map((part) => ({ part, floor: index + 1 }))
)

export const placeOf = (module: string): Place | undefined =>
  parts.find(({ part }) => part.holds.some((held) => module === held || module.startsWith(`${held}/`)))

const file = (module: string): string => `packages/${module}.ts`

/** A module without a floor. */
const homeless = (module: string): ReadonlyArray<string> =>
  placeOf(module) === undefined
    ? [`${file(module)}: stands on no floor: give it one in test/architecture/floors.ts`]
    : []

const climbing = ({ from, line, to }: Import): ReadonlyArray<string> => {
  const here = placeOf(from)
  const there = placeOf(to)
  if (here === undefined || there === undefined || here.part === there.part || there.floor < here.floor) return []
  const relation = there.floor === here.floor ? "beside" : "above"
  return [`${file(from)}:${line}: imports ${file(to)}, but ${there.part.name} is ${relation} ${here.part.name}`]
}

const isHttp = ({ to }: Import): boolean => to === "effect/http" || to.startsWith("effect/http/")

const unforeseenHttp = (one: Import): ReadonlyArray<string> =>
  isHttp(one) && !importersOfHttp.includes(one.from)
    ? [
        `${file(one.from)}:${one.line}: imports ${one.to}, which is for the few files that test/architecture/floors.ts names`
      ]
    : []

/** Modules that load all of a package: its index, or that of a folder of Effect. undici offers nothing but its index. */
const isIndex = (to: string): boolean =>
  /^(?:effect(?:\/[a-z]+)?|@effect\/platform-node)$/.test(to) || to.endsWith("/src/index")

/** An import of everything, which every program would load at its start. */
const wholesale = ({ from, line, to }: Import): ReadonlyArray<string> =>
  isIndex(to) ? [`${file(from)}:${line}: imports all of ${to}: import the module that is needed`] : []

/** What is wrong, a line for each; nothing if all is well. */
export const broken = (modules: ReadonlyArray<string>, imports: ReadonlyArray<Import>): ReadonlyArray<string> => {
  const users = new Set(imports.filter(isHttp).map(({ from }) => from))
  return [
    ...modules.flatMap(homeless),
    ...imports.flatMap(climbing),
    ...imports.flatMap(unforeseenHttp),
    ...imports.flatMap(wholesale),
    ...importersOfHttp
      .filter((module) => !users.has(module))
      .map((module) => `${file(module)}: no longer imports effect/http: strike it off in test/architecture/floors.ts`),
    ...parts
      .flatMap(({ part }) => part.holds)
      .filter((held) => !modules.some((module) => module === held || module.startsWith(`${held}/`)))
      .map((held) => `packages/${held}: is not there: strike it off in test/architecture/floors.ts`)
  ]
}
