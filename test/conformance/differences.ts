/**
 * Where everyday commands end otherwise on the emulator than on version 3 of the registry of the distribution project.
 */
export const differences = {
  deletionOfTags: {
    title: "Deletion of tags",
    reason:
      "The command sends `DELETE /v2/<name>/manifests/<tag>`, which distribution carries out. ACR answers 405 `UNSUPPORTED` (azure-sdk-for-go, recording `TestClient_DeleteManifest_wrongDigest`); it deletes tags under `/acr/v1`. `cosign clean` ends with success all the same."
  },
  referrersApi: {
    title: "Referrers API",
    reason:
      "Distribution does not have it, so that tools keep the referrers in a tag that is named after the digest. The emulator has it, as ACR does."
  },
  manifestOfNoVersion: {
    title: "Refused manifest",
    reason:
      "Distribution answers a manifest without `schemaVersion` with `UNKNOWN`. ACR answers whatever manifest it refuses with `MANIFEST_INVALID` (Azure SDK for .NET, recording `CanSetDockerManifest`)."
  },
  challenge: {
    title: "Challenge",
    reason:
      "Distribution with a file of passwords wants Basic, which oras refuses to send without a login. ACR wants a token, and oras asks for one."
  }
} as const satisfies Record<string, { readonly title: string; readonly reason: string }>
