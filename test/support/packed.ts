/**
 * The packages as they are published: packed, and installed in a fresh project outside the workspace.
 */
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { alone } from "./alone.ts"
import { run, temporaryFolder } from "./command.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The libraries. */
export const names = ["client", "artifacts", "node", "azure-identity", "emulator", "migration"] as const

/** All that is published: the libraries, and the command. */
const published = [...names, "cli"] as const

/** Where a package is in such a project. */
export const packageFolder = (home: string, name: string): string => join(home, "node_modules/@effect-acr", name)

/** The package manager, as everything here starts it. */
export const pnpm = (args: ReadonlyArray<string>, cwd: string) => run("npx", ["-y", "pnpm@12", ...args], { cwd })

/** The archives of the packages by their names, until the scope closes. */
export const pack = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  // Several files of tests pack, each in a process of its own, and every build removes what another one made.
  yield* alone(
    "build",
    Effect.andThen(
      pnpm(["run", "build"], root),
      pnpm(["--filter", "./packages/*", "pack", "--pack-destination", folder], root)
    )
  )
  const files = yield* Effect.promise(() => readdir(folder))
  return Object.fromEntries(
    published.map((name) => {
      const file = files.find((candidate) => candidate.startsWith(`effect-acr-${name}-`)) ?? ""
      return [`@effect-acr/${name}`, join(folder, file)]
    })
  )
})

/** What the README adds to a project, one list of packages for each command. */
const additions = Effect.map(
  Effect.promise(() => readFile(join(root, "README.md"), "utf8")),
  (readme) => Array.from(readme.matchAll(/^npm install ([^#\n]+)/gm), ([, list = ""]) => list.trim().split(/\s+/))
)

/** A folder with an empty project, until the scope closes. */
export const project = Effect.fnUntraced(function* (settings: { readonly [name: string]: unknown }) {
  const home = yield* temporaryFolder
  yield* Effect.promise(() => writeFile(join(home, "package.json"), JSON.stringify({ private: true, type: "module" })))
  yield* Effect.promise(() => writeFile(join(home, "pnpm-workspace.yaml"), JSON.stringify(settings)))
  return home
})

/**
 * A fresh project with what the README installs, and the archives for the packages of that name. By pnpm: a package finds only
 * the dependencies that it declares, and npm would let it find those of the others.
 */
export const install = Effect.fnUntraced(function* (archives: { readonly [name: string]: string }) {
  const overrides = Object.fromEntries(Object.entries(archives).map(([name, archive]) => [name, `file:${archive}`]))
  const home = yield* project({ overrides })
  for (const list of yield* additions) {
    yield* pnpm(["add", ...list.map((name) => archives[name] ?? name)], home)
  }
  return home
})
