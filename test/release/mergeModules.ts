/**
 * Merges the modules of each library into few files: most of the start of a program was the time that Node needs to find and read over
 * a hundred files, and to resolve `effect` in each of them. A part of `npx -y pnpm@12 build`.
 *
 * Each public module keeps its path and its exports. Code that several public modules need is in files under `internal`.
 */
import { globSync, readFileSync } from "node:fs"
import { mkdir, rm, writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { type CodeSplittingGroup, type Plugin, rolldown, RolldownMagicString } from "rolldown"
import { parseSync, Visitor } from "rolldown/utils"

/** A package, of which the compiler made a module for each source. */
interface Library {
  readonly name: string
  /**
   * Files under `internal`, and modules in each, most of them public. A file also has all that its modules import, unless an earlier file has it.
   * Other modules share a file if the same public modules need them.
   */
  readonly files: Readonly<Record<string, ReadonlyArray<string>>>
}

const packages = fileURLToPath(new URL("../../packages", import.meta.url))

const libraries: ReadonlyArray<Library> = [
  {
    name: "client",
    files: {
      // Without HTTP, for programs that only parse names and documents.
      names: ["Descriptor", "ImageConfig", "Manifest", "Reference", "Referrer", "RegistryError"],
      // For programs that read and write layouts and archives without a registry.
      content: ["BlobSource", "Compression", "Content", "Hasher"],
      registry: ["Registries"]
    }
  },
  {
    name: "node",
    files: {
      // Without undici, for programs with another HTTP client or none.
      content: ["NodeCompression", "NodeHasher"],
      docker: ["DockerConfig"],
      registry: ["NodeRegistries"]
    }
  },
  { name: "azure-identity", files: {} },
  { name: "artifacts", files: {} },
  {
    name: "migration",
    files: {
      // The server of a run with several processes. Apart, bundlers omit its whole imports from programs that only read a run: of
      // these, rolldown 1.2 would keep the start of a class of Effect's HTTP server, and the bundle would fail when it loads.
      runners: ["internal/cluster/runners"]
    }
  }
]

const programOf = (file: string) => parseSync(file, readFileSync(file, "utf8")).program

/**
 * Whether a module stays as the compiler made it.
 *
 * An index stays: merged, it would make objects of the modules that it exports, and bundlers would remove nothing from these. A module
 * that does something when it loads stays as well, so that it still does it before the modules that it precedes load.
 */
const stays = (file: string): boolean => {
  const { body } = programOf(file)
  return (
    body.every(({ type }) => type === "ExportAllDeclaration") ||
    body.some(
      (statement) =>
        !statement.type.endsWith("Declaration") ||
        (statement.type === "ImportDeclaration" && statement.specifiers.length === 0)
    )
  )
}

/** Where a module calls something while it is loaded, outside of any function. */
const callsAtLoad = (file: string, code: string): ReadonlyArray<number> => {
  const calls: Array<number> = []
  let functions = 0
  const enter = () => void functions++
  const leave = () => void functions--
  const call = ({ start }: { readonly start: number }) => {
    if (functions === 0) calls.push(start)
  }
  new Visitor({
    FunctionDeclaration: enter,
    "FunctionDeclaration:exit": leave,
    FunctionExpression: enter,
    "FunctionExpression:exit": leave,
    ArrowFunctionExpression: enter,
    "ArrowFunctionExpression:exit": leave,
    CallExpression: call,
    NewExpression: call
  }).visit(parseSync(file, code).program)
  return calls
}

/**
 * Marks these calls as pure, as the build of Effect does, and keeps the maps to the sources. Bundlers remove whole modules that a program
 * does not use, but of a file with several modules only what they know to be pure.
 */
const pure: Plugin = {
  name: "pure",
  load: (file) => {
    const code = readFileSync(file, "utf8").replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n")
    return { code, map: readFileSync(`${file}.map`, "utf8") }
  },
  transform: (code, file) => {
    const marked = new RolldownMagicString(code)
    // All calls of a chain start at the same place. One mark there is for all of them.
    for (const call of new Set(callsAtLoad(file, code))) marked.appendLeft(call, "/*#__PURE__*/ ")
    return { code: marked.toString(), map: marked.generateMap({ hires: true }).toString() }
  }
}

/** The files as groups of the bundler, which adds to each group what its modules import. */
const groupsOf = ({ files }: Library, dist: string): Array<CodeSplittingGroup> =>
  Object.entries(files).map(([name, modules], index, { length }) => ({
    name,
    test: (file) => modules.some((module) => file === join(dist, `${module}.js`)),
    priority: length - index
  }))

const merge = async (library: Library): Promise<void> => {
  const dist = join(packages, library.name, "dist")
  const modules = globSync("**/*.js", { cwd: dist })
    .toSorted()
    .map((name) => join(dist, name))
  const kept = new Set(modules.filter(stays))
  const isPublic = (file: string) => dirname(file) === dist
  const bundled = await rolldown({
    cwd: dist,
    platform: "neutral",
    input: Object.fromEntries(
      modules.filter((file) => isPublic(file) && !kept.has(file)).map((file) => [basename(file, ".js"), file])
    ),
    plugins: [
      {
        name: "outside",
        resolveId: (specifier, importer) => {
          if (importer === undefined) return undefined
          if (!specifier.startsWith(".")) return { id: specifier, external: true }
          const id = join(dirname(importer), specifier)
          return kept.has(id) ? { id, external: true } : undefined
        }
      },
      pure
    ]
  })
  const { output } = await bundled.generate({
    dir: dist,
    entryFileNames: "[name].js",
    chunkFileNames: "internal/[name].js",
    sourcemap: true,
    // The sources are in the package.
    sourcemapExcludeSources: true,
    comments: { jsdoc: false },
    minifyInternalExports: false,
    codeSplitting: { groups: groupsOf(library, dist) }
  })
  await Promise.all(modules.filter((file) => !kept.has(file)).flatMap((file) => [rm(file), rm(`${file}.map`)]))
  for (const file of output) {
    const path = join(dist, file.fileName)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, file.type === "chunk" ? file.code : file.source)
  }
}

for (const library of libraries) await merge(library)
