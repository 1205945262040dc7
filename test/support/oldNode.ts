/**
 * A Node of this machine that is older than the packages need.
 */
import { spawnSync } from "node:child_process"
import { delimiter, join } from "node:path"

const isOld = (binary: string): boolean => {
  const [, major = "0", minor = "0"] =
    /^v(\d+)\.(\d+)\./.exec(spawnSync(binary, ["--version"]).stdout?.toString() ?? "") ?? []
  return Number(major) >= 18 && (Number(major) < 22 || (Number(major) === 22 && Number(minor) < 19))
}

/** The first one on the `PATH`, if there is any. The workspace's own comes first there, and is new. */
export const oldNode: string | undefined = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, process.platform === "win32" ? "node.exe" : "node"))
  .find(isOld)
