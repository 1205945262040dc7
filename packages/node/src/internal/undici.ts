/**
 * The parts of undici that make connections, loaded once Node is known to be new enough for them.
 *
 * undici's own entry also loads its `fetch`, caches, mocks and WebSockets, which are three quarters of its modules and
 * take most of the time in which it loads. A minor version may rename the files, so `package.json` allows patches alone.
 *
 * Bun has a stand-in for the package's own name, which makes no connections. It has none for the names of files.
 */
// oxlint-disable-next-line typescript/triple-slash-reference -- The file is no module: it declares the types of others.
/// <reference path="./undiciFiles.d.ts" />
// oxlint-disable-next-line import/no-unassigned-import -- It has to run before undici, which fails on an old Node.
import "./nodeVersion.ts"
import type * as Undici from "undici"
import connect from "undici/lib/core/connect.js"
import agent from "undici/lib/dispatcher/agent.js"
import client from "undici/lib/dispatcher/client.js"
import pool from "undici/lib/dispatcher/pool.js"

export const buildConnector: typeof Undici.buildConnector = connect
export const Agent: typeof Undici.Agent = agent
export const Client: typeof Undici.Client = client
export const Pool: typeof Undici.Pool = pool
