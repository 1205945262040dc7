#!/usr/bin/env node
/**
 * The command `eacr`. This file imports nothing of the command at first and is plain, so that an old Node reads it and can say
 * that it is old.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

/**
 * Keeps compiled code for the next start. Node's own default is a folder that all users of a machine share; code in a folder of
 * another user could be anything.
 */
const keepCompiled = async (): Promise<void> => {
  const { NODE_COMPILE_CACHE, XDG_CACHE_HOME, LOCALAPPDATA, HOME } = process.env
  const { enableCompileCache } = await import("node:module")
  const caches = XDG_CACHE_HOME || LOCALAPPDATA || (HOME && `${HOME}/.cache`)
  // The folder of the variable is the user's own choice, and is on already.
  if (caches && !NODE_COMPILE_CACHE) enableCompileCache(`${caches}/eacr/compiled`)
}

/**
 * Undici's parser of HTTP is WebAssembly. The responses of one `ls` are enough for V8 to begin to compile it once more, and
 * better, which takes 10 to 20 MiB and gains nothing before the command ends. This makes V8 wait for some hundreds of responses,
 * more than a copy of 60 layers has. The flag is an `int`, so that it cannot be much larger.
 */
const compileParserLater = async (): Promise<void> => {
  // Bun has a parser of its own, and no flags of V8.
  if (process.versions["bun"] !== undefined) return
  const { setFlagsFromString } = await import("node:v8")
  setFlagsFromString("--wasm-tiering-budget=2000000000")
}

if (major > 22 || (major === 22 && minor >= 19)) {
  await keepCompiled()
  await compileParserLater()
  const { main } = await import("./main.ts")
  main()
} else {
  console.error(`eacr needs Node 22.19 or later; this is Node ${process.versions.node}`)
  process.exitCode = 1
}
