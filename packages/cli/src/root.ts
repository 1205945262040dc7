/**
 * The command with all of its verbs.
 */
import * as Command from "effect/cli/Command"
import * as Settings from "./settings.ts"
import { attach } from "./verbs/attach.ts"
import { complete, completions } from "./verbs/completions.ts"
import { cp } from "./verbs/cp.ts"
import { digest } from "./verbs/digest.ts"
import { doctor } from "./verbs/doctor.ts"
import { diff } from "./verbs/diff.ts"
import { du } from "./verbs/du.ts"
import { exportTo } from "./verbs/export.ts"
import { importFrom } from "./verbs/import.ts"
import { lock, unlock } from "./verbs/lock.ts"
import { login } from "./verbs/login.ts"
import { logout } from "./verbs/logout.ts"
import { ls } from "./verbs/ls.ts"
import { migrate } from "./verbs/migrate.ts"
import { pull } from "./verbs/pull.ts"
import { purge } from "./verbs/purge.ts"
import { push } from "./verbs/push.ts"
import { raw } from "./verbs/raw.ts"
import { rm } from "./verbs/rm.ts"
import { serve } from "./verbs/serve.ts"
import { show } from "./verbs/show.ts"
import { tag } from "./verbs/tag.ts"
import { trash } from "./verbs/trash.ts"
import { tree } from "./verbs/tree.ts"
import { untag } from "./verbs/untag.ts"
import { validate } from "./verbs/validate.ts"
import { whoami } from "./verbs/whoami.ts"

export const root = Command.make("eacr").pipe(
  Command.withDescription("Images, artifacts and their storage in Azure Container Registry and OCI registries"),
  Command.withSubcommands([
    { group: "Look", commands: [ls, show, digest, raw, tree, validate, du, diff] },
    { group: "Transfer", commands: [cp, pull, push, attach, exportTo, importFrom, migrate] },
    { group: "Change", commands: [tag, untag, rm, lock, unlock, purge, trash] },
    { group: "Serve", commands: [serve] },
    { group: "Log in", commands: [login, logout, whoami, doctor] },
    {
      group: "Set up",
      commands: [completions((): Command.Command.Any => root), complete((): Command.Command.Any => root)]
    }
  ]),
  Command.withGlobalFlags([...Settings.all])
)
