#!/usr/bin/env node
/**
 * The command `eacr`. This file imports nothing and is plain, so that an old Node reads it and can say that it is old.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major > 22 || (major === 22 && minor >= 19)) {
  const { main } = await import("./main.ts")
  main()
} else {
  console.error(`eacr needs Node 22.19 or later; this is Node ${process.versions.node}`)
  process.exitCode = 1
}
