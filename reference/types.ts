/**
 * Types that no source spells out, because a schema has them: printed as one would write them.
 */
import { basename } from "node:path"
import ts from "typescript"
import * as Comment from "./comment.ts"

export interface Field {
  readonly name: string
  readonly text: string
}

export interface Printer {
  /** A type by its name, or written out where it has none. */
  readonly print: (type: ts.Type) => string
  /** The same, of a type whose name is not to be used. */
  readonly spell: (type: ts.Type) => string
  /** What the packages' own sources, not a library, say that a type has, with the comments. */
  readonly ownFields: (type: ts.Type) => ReadonlyArray<Field>
}

const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope

/** What a base class declares and describes. */
const isOverride = (declaration: ts.Declaration): boolean =>
  (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Override) !== 0

const isOptional = (symbol: ts.Symbol): boolean => (symbol.flags & ts.SymbolFlags.Optional) !== 0

const has = (type: ts.Type, flag: ts.TypeFlags): boolean => (type.flags & flag) !== 0

const keyOf = (name: string): string => (/^[\w$]+$/.test(name) ? name : JSON.stringify(name))

/** Effect's types under the names that they have where one imports their modules: `DateTime.Utc`. */
const qualified = (type: ts.Type): string | undefined => {
  const symbol = type.aliasSymbol ?? type.symbol
  const file = symbol?.declarations?.[0]?.getSourceFile().fileName
  if (file === undefined || !/\/effect\/dist\/\w+\.d\.ts$/.test(file) || symbol.name.startsWith("__")) return undefined
  return `${basename(file, ".d.ts")}.${symbol.name}`
}

/** What an array or a tuple with at least one item holds, as in `NonEmptyArray`. */
const nonEmptyItem = (checker: ts.TypeChecker, type: ts.Type): ts.Type | undefined =>
  checker.isTupleType(type) && type.getProperty("0") !== undefined && type.getProperty("1") === undefined
    ? checker.getIndexTypeOfType(type, ts.IndexKind.Number)
    : undefined

/** The comment on a symbol; on what stands behind it where a field is written in short. */
const commentOf = (checker: ts.TypeChecker, symbol: ts.Symbol): string => {
  const [declaration] = symbol.declarations ?? []
  if (declaration === undefined) return ""
  const own = Comment.of(declaration).text
  if (own !== "" || !ts.isShorthandPropertyAssignment(declaration)) return own
  const [value] = checker.getShorthandAssignmentValueSymbol(declaration)?.declarations ?? []
  return value === undefined ? "" : Comment.of(value).text
}

const commented = (text: string, code: string): string =>
  text === "" ? code : `/** ${text.split("\n").join("\n * ")}${text.includes("\n") ? "\n" : ""} */\n${code}`

/** Fields in braces, a line each. */
export const block = (fields: ReadonlyArray<string>): string => `{\n${fields.join("\n")}\n}`

const placeOf = ({ declarations: [first] = [] }: ts.Symbol) => ({
  file: first?.getSourceFile().fileName ?? "",
  position: first?.pos ?? 0
})

/**
 * The symbols of one file first, then those of others, each where it stands there: the compiler's own order changes with
 * what else it has seen.
 */
const inOrder = (symbols: ReadonlyArray<ts.Symbol>, file: string): ReadonlyArray<ts.Symbol> =>
  symbols.toSorted((one, other) => {
    const [a, b] = [placeOf(one), placeOf(other)]
    if (a.file === b.file) return a.position - b.position
    return a.file === file || (b.file !== file && a.file < b.file) ? -1 : 1
  })

/** A printer for one file, where some types are known by a name, and for what is declared in one folder. */
export const makePrinter = (
  checker: ts.TypeChecker,
  nameOf: (type: ts.Type) => string | undefined,
  file: string,
  folder: string
): Printer => {
  const print = (type: ts.Type): string => nameOf(type) ?? spell(type)

  const printUnion = (types: ReadonlyArray<ts.Type>): string =>
    types.map(print).join(" | ").replace("false | true", "boolean")

  /** What an optional field may be where it is there. */
  const printPresent = (type: ts.Type): string => {
    if (!type.isUnion()) return print(type)
    return type.types.some((one) => has(one, ts.TypeFlags.Null))
      ? printUnion(type.types.filter((one) => !has(one, ts.TypeFlags.Undefined)))
      : print(checker.getNonNullableType(type))
  }

  const spell = (type: ts.Type): string => {
    const alias = type.aliasSymbol === undefined ? undefined : qualified(type)
    if (alias !== undefined) return alias
    if (type.isUnion() && !has(type, ts.TypeFlags.Boolean)) return printUnion(type.types)
    const item = checker.isArrayType(type) ? checker.getIndexTypeOfType(type, ts.IndexKind.Number) : undefined
    if (item !== undefined) return `ReadonlyArray<${print(item)}>`
    const first = nonEmptyItem(checker, type)
    if (first !== undefined) return `readonly [${print(first)}, ...Array<${print(first)}>]`
    const isNamed = (type.aliasSymbol ?? type.symbol ?? { name: "__type" }).name !== "__type"
    if (has(type, ts.TypeFlags.Object) && !isNamed && type.getCallSignatures().length === 0) {
      return block([...fieldsOf(type.getProperties()).map(({ text }) => text), ...rest(type)])
    }
    return qualified(type) ?? checker.typeToString(type, undefined, flags)
  }

  const fieldsOf = (symbols: ReadonlyArray<ts.Symbol>): ReadonlyArray<Field> =>
    inOrder(symbols, file).map((symbol) => {
      const type = checker.getTypeOfSymbol(symbol)
      const key = keyOf(symbol.name)
      const code = isOptional(symbol) ? `readonly ${key}?: ${printPresent(type)}` : `readonly ${key}: ${print(type)}`
      return { name: symbol.name, text: commented(commentOf(checker, symbol), code) }
    })

  /** What other fields there may be. */
  const rest = (type: ts.Type): ReadonlyArray<string> => {
    const other = checker.getIndexTypeOfType(type, ts.IndexKind.String)
    return other === undefined ? [] : [`readonly [name: string]: ${print(other)}`]
  }

  const ownFields = (type: ts.Type): ReadonlyArray<Field> =>
    fieldsOf(
      type.getProperties().filter((symbol) => {
        const [declaration] = symbol.declarations ?? []
        return (
          declaration !== undefined &&
          !isOverride(declaration) &&
          declaration.getSourceFile().fileName.startsWith(folder) &&
          !declaration.getSourceFile().fileName.includes("/node_modules/")
        )
      })
    )

  return { print, spell, ownFields }
}
