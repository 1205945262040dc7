/**
 * Differences in the results of everyday commands between the emulator and version 3 of the registry of the distribution
 * project.
 */
export const differences = {
  deletionOfTags: {
    title: "Deletion of tags",
    reason:
      "The command sends `DELETE /v2/<name>/manifests/<tag>`, which distribution supports. ACR answers 405 `UNSUPPORTED` (azure-sdk-for-go, recording `TestClient_DeleteManifest_wrongDigest`); it deletes tags under `/acr/v1`. `cosign clean` succeeds anyway."
  },
  referrersApi: {
    title: "Referrers API",
    reason:
      "Distribution does not have it, so tools keep the referrers in a tag named after the digest. The emulator has it, as ACR does."
  },
  manifestOfNoVersion: {
    title: "Refused manifest",
    reason:
      "Distribution answers a manifest without `schemaVersion` with `UNKNOWN`. ACR answers every manifest that it refuses with `MANIFEST_INVALID` (Azure SDK for .NET, recording `CanSetDockerManifest`)."
  },
  challenge: {
    title: "Challenge",
    reason:
      "Distribution with a password file demands Basic, which oras refuses to send without a login. ACR demands a token, and oras requests one."
  }
} as const satisfies Record<string, { readonly title: string; readonly reason: string }>
