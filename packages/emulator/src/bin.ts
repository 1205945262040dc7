#!/usr/bin/env node
/**
 * The emulator as a command. This file has no imports and plain syntax, so that an old Node can run it and report its
 * version.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major > 22 || (major === 22 && minor >= 19)) {
  const { run } = await import("./internal/program/main.ts")
  run()
} else {
  console.error(`acr-emulator needs Node 22.19 or later; this is Node ${process.versions.node}`)
  process.exitCode = 1
}
