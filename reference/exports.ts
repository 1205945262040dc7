/**
 * What a module exports, as data: how each is declared, what is said of it, and what of its parts.
 */
import * as Arr from "effect/Array"
import ts from "typescript"
import * as Comment from "./comment.ts"
import { classCode, isService, schemaCode, valueCode } from "./signature.ts"
import type { Field, Printer } from "./types.ts"

/** A part of an export: a field of a model, an option, a parameter's field. */
interface Part {
  readonly name: string
  readonly line: number
  readonly isDocumented: boolean
}

/** A member of a service, or of another shape whose members are looked up one by one. */
export interface Member {
  readonly name: string
  readonly text: string
  readonly code: string
}

export interface Export {
  readonly name: string
  readonly line: number
  /** One, or two where a schema and its type have one name. */
  readonly comments: Arr.NonEmptyReadonlyArray<Comment.Comment>
  /** How it is declared; nothing for a service, which is its members. */
  readonly code: string
  readonly members: ReadonlyArray<Member>
  readonly parts: ReadonlyArray<Part>
}

/** A name that a module exports, with all that it stands for: a value, a type, or both. */
export interface Exported {
  readonly name: string
  readonly declarations: Arr.NonEmptyReadonlyArray<ts.Declaration>
}

/** The exports of a file, those of other files that it hands on included. */
export const exportedBy = (checker: ts.TypeChecker, file: ts.SourceFile): ReadonlyArray<Exported> => {
  const module = checker.getSymbolAtLocation(file)
  return (module === undefined ? [] : checker.getExportsOfModule(module)).flatMap((symbol) => {
    const target = (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)
    const declarations = target.declarations ?? []
    return Arr.isReadonlyArrayNonEmpty(declarations) ? [{ name: symbol.name, declarations }] : []
  })
}

const lineOf = (node: ts.Node): number => node.getSourceFile().getLineAndCharacterOfPosition(node.getStart()).line + 1

/** Whether there is nothing to say of a field: a tag, or one that must not be there. */
const saysAll = ({ name, type }: ts.PropertySignature | ts.MethodSignature): boolean =>
  name.getText() === "_tag" || type?.kind === ts.SyntaxKind.NeverKeyword

/** Everything that has a name within the types of a declaration, not within the code of a function. */
const partsOf = (node: ts.Node): ReadonlyArray<Part> => {
  const parts: Array<Part> = []
  const visit = (child: ts.Node): void => {
    if (ts.isBlock(child)) return
    if ((ts.isPropertySignature(child) || ts.isMethodSignature(child)) && !saysAll(child)) {
      parts.push({ name: child.name.getText(), line: lineOf(child), isDocumented: Comment.of(child).text !== "" })
    }
    ts.forEachChild(child, visit)
  }
  visit(node)
  return parts
}

const partOfField = (line: number, { name, text }: Field): Part => ({
  name,
  line,
  isDocumented: name === "_tag" || text.startsWith("/**")
})

/** A schema, with the type of its name if there is one. */
const schemaOf = (
  checker: ts.TypeChecker,
  printer: Printer,
  schema: { readonly name: string; readonly type: ts.Type; readonly alias: ts.TypeAliasDeclaration | undefined }
): { readonly code: string; readonly fields: ReadonlyArray<Field> } => {
  const { alias, name, type } = schema
  const code = schemaCode(checker, printer, { name, type, isNamed: alias !== undefined })
  if (alias === undefined) return { code, fields: [] }
  const read = checker.getTypeAtLocation(alias)
  const fields = read.isUnion() ? [] : printer.ownFields(read)
  return { code: `${code}\n\ntype ${name} = ${printer.spell(read)}`, fields }
}

/** How an export is declared, and what it is made of. */
const shown = (
  checker: ts.TypeChecker,
  printer: Printer,
  { declarations, name }: Exported
): Pick<Export, "code" | "members" | "parts"> => {
  const [first] = declarations
  const partsOfFields = (fields: ReadonlyArray<Field>) => fields.map((field) => partOfField(lineOf(first), field))

  if (ts.isVariableDeclaration(first)) {
    const type = checker.getTypeAtLocation(first)
    if (type.getProperty("Encoded") === undefined) {
      return { code: valueCode(first), members: [], parts: partsOf(first) }
    }
    const alias = declarations.find(ts.isTypeAliasDeclaration)
    const { code, fields } = schemaOf(checker, printer, { name, type, alias })
    return { code, members: [], parts: partsOfFields(fields) }
  }
  if (ts.isInterfaceDeclaration(first) && name === "Service") {
    const members = first.members.map((member) => ({
      name: member.name?.getText() ?? "",
      text: Comment.of(member).text,
      code: member.getText()
    }))
    return { code: "", members, parts: partsOf(first) }
  }
  if (ts.isInterfaceDeclaration(first) || ts.isTypeAliasDeclaration(first)) {
    return { code: first.getText().replace(/^export /, ""), members: [], parts: partsOf(first) }
  }
  if (!ts.isClassDeclaration(first)) {
    throw new Error(`the reference can't show a declaration such as ${first.getText().slice(0, 60)}`)
  }
  if (isService(first)) {
    return { code: `declare class ${name} extends Context.Service<${name}, Service> {}`, members: [], parts: [] }
  }
  const { code, fields } = classCode(checker, printer, first, name)
  return { code, members: [], parts: partsOfFields(fields) }
}

/** The exports of a module. */
export const exportsOf = (
  checker: ts.TypeChecker,
  printer: Printer,
  exported: ReadonlyArray<Exported>
): ReadonlyArray<Export> =>
  exported.map((one) => ({
    name: one.name,
    line: lineOf(one.declarations[0]),
    comments: Arr.map(one.declarations, Comment.of),
    ...shown(checker, printer, one)
  }))
