/**
 * Serves the emulator.
 */
import * as ServeCommand from "@effect-acr/emulator/ServeCommand"
import { Json } from "../settings.ts"
import * as Verb from "../verb.ts"

export const serve = ServeCommand.make("serve", { json: Json }).pipe(
  Verb.described({
    does: "Serve an Azure Container Registry emulator until it is stopped",
    examples: [
      { command: "eacr serve --port 5001 --seed library/alpine:3.20", description: "A registry with one image" }
    ]
  })
)
