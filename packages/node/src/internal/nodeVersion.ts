/**
 * Fails on an old Node, and names the one that is needed. Otherwise undici fails there, with `Cannot read properties of
 * undefined (reading 'bind')`.
 */
const { bun, deno, node } = process.versions

const [major = 0, minor = 0] = node.split(".").map(Number)

// Bun and Deno name a Node that they are compatible with.
const isNode = bun === undefined && deno === undefined

if (isNode && (major < 22 || (major === 22 && minor < 19))) {
  throw new Error(`effect-acr needs Node 22.19 or later; this is Node ${node}`)
}
