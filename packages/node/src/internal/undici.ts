/**
 * undici, loaded once Node is known to be new enough for it.
 */
// oxlint-disable-next-line import/no-unassigned-import -- It has to run before undici, which fails on an old Node.
import "./nodeVersion.ts"

// By the name of its file: for the package's own name Bun has a stand-in, which makes no connections.
export { Agent, buildConnector, Client, Pool } from "undici/index.js"
