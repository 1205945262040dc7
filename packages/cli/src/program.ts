/**
 * A call of the command as a program that does the same with the library.
 */
import * as Predicate from "effect/Predicate"

export interface Program {
  /** Names to import, by package. */
  readonly imports: Readonly<Record<string, ReadonlyArray<string>>>
  /** The lines of its generator. */
  readonly lines: ReadonlyArray<string>
  /** Whether it opens a resource that needs a scope. */
  readonly isScoped?: boolean
}

export const artifacts = "@effect-acr/artifacts"
export const client = "@effect-acr/client"
export const migration = "@effect-acr/migration"
export const effect = "effect"

const memberName = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name))

/** Writes a value as a literal. */
export const literal = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`
  if (!Predicate.isObject(value)) return JSON.stringify(value)
  const members = Object.entries(value).map(([name, member]) => `${memberName(name)}: ${literal(member)}`)
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`
}

/** Writes a text of several lines as a template literal. */
export const text = (value: string): string => `\`${value.replace(/[\\`]|\$\{/g, String.raw`\$&`)}\``

/** Writes options as a further argument, if there are any. */
export const options = (value: object): string => (Object.keys(value).length === 0 ? "" : `, ${literal(value)}`)

const common: Program["imports"] = {
  "@effect-acr/node": ["NodeRegistries"],
  "@effect/platform-node": ["NodeRuntime"],
  effect: ["Effect"]
}

const packages = [
  artifacts,
  "@effect-acr/azure-identity",
  client,
  "@effect-acr/emulator",
  migration,
  "@effect-acr/node",
  "@effect/platform-node",
  effect
]

const importLine = (name: string, all: ReadonlyArray<Program["imports"]>): ReadonlyArray<string> => {
  const names = Array.from(new Set(all.flatMap((imports) => imports[name] ?? []))).toSorted()
  return names.length === 0 ? [] : [`import { ${names.join(", ")} } from ${literal(name)}`]
}

/** Joins parts of a program in order. */
export const join = (...parts: ReadonlyArray<Program>): Program => ({
  imports: Object.fromEntries(
    packages.map((name) => [name, Array.from(new Set(parts.flatMap(({ imports }) => imports[name] ?? [])))])
  ),
  lines: parts.flatMap(({ lines }) => lines),
  isScoped: parts.some(({ isScoped }) => isScoped === true)
})

/** Prints the value of an expression. */
export const print = (expression: string): Program => ({
  imports: { [effect]: ["Console"] },
  lines: [`yield* Console.log(${expression})`]
})

/** Writes a program for Node. */
export const format = ({ imports, isScoped = false, lines }: Program): string =>
  [
    ...packages.flatMap((name) => importLine(name, [common, imports])),
    "",
    "const program = Effect.gen(function* () {",
    ...lines.map((line) => (line === "" ? "" : `  ${line}`)),
    "})",
    "",
    `NodeRuntime.runMain(Effect.provide(${isScoped ? "Effect.scoped(program)" : "program"}, NodeRegistries.layer))`
  ].join("\n")
