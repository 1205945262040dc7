/**
 * The public modules of the packages, as data: what they export, as it is written, with its comments.
 *
 * Made over the API of TypeScript 6, which this folder has for itself: TypeScript 7 has no stable one yet. TypeDoc, which
 * wants TypeScript 6 as well, shows each error with all that it inherits from Schema (72,000 lines for `RegistryError`)
 * and the members of a service five headings deep.
 */
import { dirname, join, relative } from "node:path"
import * as Arr from "effect/Array"
import ts from "typescript"
import * as Comment from "./comment.ts"
import { classCode, schemaCode, shapeOf, valueCode } from "./signature.ts"
import { type Field, makePrinter, type Printer } from "./types.ts"

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

export interface Module {
  readonly name: string
  /** The path of its file, from the root. */
  readonly path: string
  /** What the package says of it where it exports it. */
  readonly summary: string
  readonly comment: Comment.Comment
  readonly exports: ReadonlyArray<Export>
}

export interface Package {
  /** The name of its folder. */
  readonly folder: string
  readonly text: string
  readonly modules: ReadonlyArray<Module>
}

/** A name that a module exports, with all that it stands for: a value, a type, or both. */
interface Exported {
  readonly name: string
  readonly declarations: Arr.NonEmptyReadonlyArray<ts.Declaration>
}

/** The exports of a file, those of other files that it hands on included. */
const exportedBy = (checker: ts.TypeChecker, file: ts.SourceFile): ReadonlyArray<Exported> => {
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

/** A type that has other uses than the one by which a module calls it: `string`, or a record. */
const isCommon = (type: ts.Type): boolean =>
  (type.flags & ts.TypeFlags.String) !== 0 ||
  ((type.flags & ts.TypeFlags.Object) !== 0 && type.getProperties().length === 0)

/** Reads the packages in `packages` of a folder, each by what its `index.ts` exports. */
export const read = (root: string, folders: ReadonlyArray<string>): ReadonlyArray<Package> => {
  const packagesFolder = join(root, "packages")
  const indexOf = (folder: string) => join(packagesFolder, folder, "src", "index.ts")
  const program = ts.createProgram(folders.map(indexOf), {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    // The order in unions as it is declared, whatever else was compiled.
    stableTypeOrdering: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
    types: []
  })
  const checker = program.getTypeChecker()

  const sourceOf = (path: string): ts.SourceFile => {
    const file = program.getSourceFile(path)
    if (file === undefined) throw new Error(`there is no ${path}`)
    return file
  }

  /** The modules that a package exports, each under its name. */
  const listed = (folder: string) => {
    const path = indexOf(folder)
    return sourceOf(path).statements.flatMap((node) => {
      if (!ts.isExportDeclaration(node)) return []
      const { exportClause, moduleSpecifier } = node
      if (exportClause === undefined || !ts.isNamespaceExport(exportClause)) return []
      if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return []
      const file = sourceOf(join(dirname(path), moduleSpecifier.text))
      return [
        { name: exportClause.name.text, summary: Comment.of(node).text, file, exported: exportedBy(checker, file) }
      ]
    })
  }

  const packages = folders.map((folder) => ({ folder, listed: listed(folder) }))

  const named = new Map<ts.Type, { readonly module: string; readonly name: string }>()
  for (const { exported, name: module } of packages.flatMap(({ listed }) => listed)) {
    for (const { declarations, name } of exported) {
      const alias = declarations.find(ts.isTypeAliasDeclaration)
      const type = alias === undefined ? undefined : checker.getTypeAtLocation(alias)
      if (type !== undefined && !isCommon(type) && !named.has(type)) named.set(type, { module, name })
    }
  }

  /** Prints types as they are written in a module. */
  const printerIn = (module: string, file: ts.SourceFile) =>
    makePrinter(
      checker,
      (type) => {
        const known = named.get(type)
        if (known === undefined) return undefined
        return known.module === module || known.module === known.name ? known.name : `${known.module}.${known.name}`
      },
      file.fileName,
      packagesFolder
    )

  /** A schema, with the type of its name if there is one. */
  const schemaExport = (printer: Printer, schema: ts.Type, name: string, type: ts.Node | undefined) => {
    const code = schemaCode(checker, printer, { name, type: schema, isNamed: type !== undefined })
    if (type === undefined) return { code, fields: [] }
    const read = checker.getTypeAtLocation(type)
    const fields = read.isUnion() ? [] : printer.ownFields(read)
    return { code: `${code}\n\ntype ${name} = ${printer.spell(read)}`, fields }
  }

  const exportOf = (printer: Printer, { declarations, name }: Exported): Export => {
    const [first] = declarations
    const line = lineOf(first)
    const head = { name, line, comments: Arr.map(declarations, Comment.of), members: [] }
    if (ts.isVariableDeclaration(first)) {
      const type = checker.getTypeAtLocation(first)
      if (type.getProperty("Encoded") === undefined) return { ...head, code: valueCode(first), parts: partsOf(first) }
      const { code, fields } = schemaExport(printer, type, name, declarations.find(ts.isTypeAliasDeclaration))
      return { ...head, code, parts: fields.map((field) => partOfField(line, field)) }
    }
    if (ts.isInterfaceDeclaration(first) || ts.isTypeAliasDeclaration(first)) {
      return { ...head, code: first.getText().replace(/^export /, ""), parts: partsOf(first) }
    }
    if (!ts.isClassDeclaration(first)) {
      throw new Error(`the reference can't show a declaration such as ${first.getText().slice(0, 60)}`)
    }
    const shape = shapeOf(first)
    if (shape === undefined) {
      const { code, fields } = classCode(checker, printer, first, name)
      return { ...head, code, parts: fields.map((field) => partOfField(line, field)) }
    }
    return {
      ...head,
      code: "",
      members: shape.members.map((member) => ({
        name: member.name?.getText() ?? "",
        text: Comment.of(member).text,
        code: member.getText()
      })),
      parts: partsOf(shape)
    }
  }

  const exportsOf = (printer: Printer, exported: ReadonlyArray<Exported>): ReadonlyArray<Export> =>
    exported
      .map((one) => exportOf(printer, one))
      .filter(({ comments }) => !comments.some(({ isInternal }) => isInternal))

  return packages.map(({ folder, listed }) => ({
    folder,
    text: Comment.ofFile(sourceOf(indexOf(folder))).text,
    modules: listed.map(({ exported, file, name, summary }) => ({
      name,
      path: relative(root, file.fileName),
      summary,
      comment: Comment.ofFile(file),
      exports: exportsOf(printerIn(name, file), exported)
    }))
  }))
}
