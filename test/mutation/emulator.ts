/**
 * Faults in what keeps an emulator's folder whole, and its control API to its machine.
 */
import type { Fault } from "./fault.ts"

const internal = "packages/emulator/src/internal"

export const emulator: ReadonlyArray<Fault> = [
  {
    wrong: "the control API answers a page whose name leads to this machine",
    file: `${internal}/control/guard.ts`,
    find: "hostname === undefined || !isOwn(hostname, hosts)",
    replace: "hostname === undefined"
  },
  {
    wrong: "the control API answers pages of other origins",
    file: `${internal}/control/guard.ts`,
    find: "origin !== undefined && origin !== `http://${host}`",
    replace: 'origin !== undefined && origin === ""'
  },
  {
    wrong: "the control API takes a form that any page can send",
    file: `${internal}/control/guard.ts`,
    find: "hasBody(request) && !isJson(",
    replace: "!hasBody(request) && !isJson("
  },
  {
    wrong: "a line that a killed emulator left half written stays in front of the next one",
    file: `${internal}/changeLog.ts`,
    find: "if (statSync(file).size > length) truncateSync(file, length)",
    replace: "if (statSync(file).size < length) truncateSync(file, length)"
  },
  {
    wrong: "a second emulator takes a folder that another one uses",
    file: `${internal}/folderLock.ts`,
    find: "throw new Held(",
    replace: "void new Held("
  },
  {
    wrong: "content goes that a manifest may name in a moment",
    file: `${internal}/sweep.ts`,
    find: "if (sinceMillis + waitsMillis > nowMillis) break",
    replace: "if (waitsMillis < 0) break"
  },
  {
    wrong: "a reset leaves faults",
    file: "packages/emulator/src/AcrEmulator.ts",
    find: "serving.clearFaults()\n",
    replace: ""
  },
  {
    wrong: "the journal grows with each request",
    file: `${internal}/serving.ts`,
    find: "journal.slice(-journalSize)",
    replace: "journal.slice()"
  },
  {
    wrong: "a seed moves a tag that a client pushed",
    file: `${internal}/seed.ts`,
    find: 'onTag === "overwrite" || store',
    replace: 'onTag !== "overwrite" || store'
  }
]
