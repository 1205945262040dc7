/**
 * The public modules of the packages, as data: what they export, as it is written, with its comments.
 *
 * Made over the API of TypeScript 6, which this folder has for itself: TypeScript 7 has no stable one yet. TypeDoc, which
 * wants TypeScript 6 as well, shows each error with all that it inherits from Schema (72,000 lines for `RegistryError`)
 * and the members of a service five headings deep.
 */
import { dirname, join, relative } from "node:path"
import ts from "typescript"
import * as Comment from "./comment.ts"
import { type Export, type Exported, exportedBy, exportsOf } from "./exports.ts"
import { makePrinter, type Printer } from "./types.ts"

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

const compile = (files: ReadonlyArray<string>): ts.Program =>
  ts.createProgram(files, {
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

const sourceOf = (program: ts.Program, path: string): ts.SourceFile => {
  const file = program.getSourceFile(path)
  if (file === undefined) throw new Error(`there is no ${path}`)
  return file
}

/** A module as its package lists it. */
interface Listed {
  readonly name: string
  readonly summary: string
  readonly file: ts.SourceFile
  readonly exported: ReadonlyArray<Exported>
}

/** The modules that an `index.ts` exports, each under its name. */
const listedIn = (program: ts.Program, index: ts.SourceFile): ReadonlyArray<Listed> =>
  index.statements.flatMap((node) => {
    if (!ts.isExportDeclaration(node)) return []
    const { exportClause, moduleSpecifier } = node
    if (exportClause === undefined || !ts.isNamespaceExport(exportClause)) return []
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return []
    const file = sourceOf(program, join(dirname(index.fileName), moduleSpecifier.text))
    const exported = exportedBy(program.getTypeChecker(), file)
    return [{ name: exportClause.name.text, summary: Comment.of(node).text, file, exported }]
  })

/** A type that has other uses than the one by which a module calls it: `string`, or a record. */
const isCommon = (type: ts.Type): boolean =>
  (type.flags & ts.TypeFlags.String) !== 0 ||
  ((type.flags & ts.TypeFlags.Object) !== 0 && type.getProperties().length === 0)

/** By which name types are known in a module. */
const namesOf = (checker: ts.TypeChecker, modules: ReadonlyArray<Listed>) => {
  const named = new Map<ts.Type, { readonly module: string; readonly name: string }>()
  for (const { exported, name: module } of modules) {
    for (const { declarations, name } of exported) {
      const alias = declarations.find(ts.isTypeAliasDeclaration)
      const type = alias === undefined ? undefined : checker.getTypeAtLocation(alias)
      if (type !== undefined && !isCommon(type) && !named.has(type)) named.set(type, { module, name })
    }
  }
  return (module: string, type: ts.Type): string | undefined => {
    const known = named.get(type)
    if (known === undefined) return undefined
    return known.module === module || known.module === known.name ? known.name : `${known.module}.${known.name}`
  }
}

/** Reads the packages in `packages` of a folder, each by what its `index.ts` exports, and its `Runtime.ts` if it has one. */
export const read = (root: string, folders: ReadonlyArray<string>): ReadonlyArray<Package> => {
  const packagesFolder = join(root, "packages")
  const indexOf = (folder: string) => join(packagesFolder, folder, "src", "index.ts")
  /** A second entry, for packages that build on this one. */
  const runtimeOf = (folder: string) => join(packagesFolder, folder, "src", "Runtime.ts")
  const runtimes = folders.map(runtimeOf).filter((path) => ts.sys.fileExists(path))
  const program = compile([...folders.map(indexOf), ...runtimes])
  const checker = program.getTypeChecker()
  const packages = folders.map((folder) => {
    const index = sourceOf(program, indexOf(folder))
    const more = runtimes.filter((path) => path === runtimeOf(folder)).map((path) => sourceOf(program, path))
    return {
      folder,
      text: Comment.ofFile(index).text,
      listed: [index, ...more].flatMap((file) => listedIn(program, file))
    }
  })
  const nameIn = namesOf(
    checker,
    packages.flatMap(({ listed }) => listed)
  )
  const printerIn = ({ file, name }: Listed): Printer =>
    makePrinter(checker, (type) => nameIn(name, type), file.fileName, packagesFolder)

  return packages.map(({ folder, listed, text }) => ({
    folder,
    text,
    modules: listed.map((module) => ({
      name: module.name,
      path: relative(root, module.file.fileName),
      summary: module.summary,
      comment: Comment.ofFile(module.file),
      exports: exportsOf(checker, printerIn(module), module.exported)
    }))
  }))
}
