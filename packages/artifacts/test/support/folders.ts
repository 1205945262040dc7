/**
 * Folders whose archives have digests that are known.
 */
import { chmod, link, mkdir, symlink, writeFile } from "node:fs/promises"
import type * as Folder from "../../src/Folder.ts"

interface Golden {
  /** The sha256 of the archive. */
  readonly digest: string
  readonly fill: (folder: string) => Promise<unknown>
  readonly options?: Folder.PackOptions
}

/** Files whose order differs by locale, by the unit of comparison, and by whether a folder has its slash. */
export const names = ["B", "a-b", "a.txt", "a/z", "a0", "ä", "\uFF5E", "😀", "Öl/é"]

/** Writes files in an order, each with its name as content. */
export const write = async (folder: string, order: ReadonlyArray<string>) => {
  for (const name of order) {
    const slash = name.lastIndexOf("/")
    if (slash > 0) await mkdir(`${folder}/${name.slice(0, slash)}`, { recursive: true })
    await writeFile(`${folder}/${name}`, `content of ${name}`)
  }
}

/** The digests were computed once, and the archives unpacked by GNU tar and Python (`test/folderTools.test.ts`). */
export const golden: Readonly<Record<string, Golden>> = {
  "an empty folder": {
    digest: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
    fill: () => Promise.resolve()
  },
  "names of 100 bytes": {
    digest: "45f68c4f7d7dbe59f5afe0b0dd02feea42fd699b6d6336fa0c9f8041d3c46c18",
    fill: (at) => write(at, ["n".repeat(100)])
  },
  "names of 101 bytes": {
    digest: "fe97fa1090ed60f94dfc7eba793681f65d21d85b742077fa8ad96fca7f2f3f29",
    fill: (at) => write(at, ["n".repeat(101)])
  },
  "names of 156 bytes": {
    digest: "a84e50fad207d23635b0898c10b5c1d415fbd84fe17b516fe91228f5bb34a7b9",
    fill: (at) => write(at, [`${"d".repeat(55)}/${"n".repeat(100)}`])
  },
  "names of 156 bytes that cannot be split": {
    digest: "dcbd31cb990a089b984c28b4a1255a1d3f2df8011bc5bd1b3c02be37304315af",
    fill: (at) => write(at, ["n".repeat(156)])
  },
  "names of 256 bytes": {
    digest: "033924cd02758590ebba758d9ad8427bfa33968b2e617beec729b4a874b49891",
    fill: (at) => write(at, [`${"d".repeat(155)}/${"n".repeat(100)}`])
  },
  "names that are not ASCII": {
    digest: "ca5f53f62fe4195a8abf575dc107b534eb141c9a89ad29c14d7804ef12d5992b",
    fill: (at) => write(at, names)
  },
  "links and executables": {
    digest: "ae93f45b09743a63d050290119c61337d65ae026d344682f185e0790799deb50",
    fill: async (at) => {
      await write(at, ["run.sh", "z"])
      await chmod(`${at}/run.sh`, 0o700)
      await link(`${at}/run.sh`, `${at}/same.sh`)
      await symlink("run.sh", `${at}/latest`)
      await symlink("x".repeat(200), `${at}/long`)
    }
  },
  "copies in place of hard links": {
    digest: "770d674407f6d83649484b512bfeabd8e46b86b40ec1c319c6d8d020efd2bbce",
    options: { hardLinks: "copy", prefix: "site", modified: new Date("2026-01-02T03:04:05Z") },
    fill: async (at) => {
      await write(at, ["run.sh"])
      await link(`${at}/run.sh`, `${at}/same.sh`)
    }
  }
}
