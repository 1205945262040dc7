#!/usr/bin/env node
/**
 * The emulator as a command. This file imports nothing and is plain, so that an old Node reads it and can say that it is old.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major > 22 || (major === 22 && minor >= 19)) {
  const { run } = await import("./internal/program/main.ts")
  run()
} else {
  console.error(`acr-emulator needs Node 22.19 or later; this is Node ${process.versions.node}`)
  process.exitCode = 1
}
