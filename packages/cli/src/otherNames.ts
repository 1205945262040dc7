/**
 * Names of verbs and flags in other commands for registries (crane, oras, regctl, skopeo, docker, az acr), and ours for them.
 */

/** The verbs to suggest for a name that is no verb. */
export const otherNames: ReadonlyMap<string, ReadonlyArray<string>> = new Map([
  // crane
  ["append", ["push"]],
  ["auth", ["login"]],
  ["catalog", ["ls"]],
  ["config", ["show"]],
  ["manifest", ["raw", "show"]],
  // oras
  ["backup", ["export"]],
  ["blob", ["pull", "push"]],
  ["copy", ["cp"]],
  ["discover", ["tree"]],
  ["repo", ["ls"]],
  ["resolve", ["digest"]],
  ["restore", ["import", "trash"]],
  // regctl
  ["artifact", ["pull", "push"]],
  ["image", ["show", "cp"]],
  ["index", ["show", "tree"]],
  ["registry", ["login", "doctor"]],
  // skopeo
  ["delete", ["rm"]],
  ["inspect", ["show"]],
  ["list-tags", ["ls"]],
  ["sync", ["cp", "migrate"]],
  // docker and podman
  ["images", ["ls"]],
  ["load", ["import"]],
  ["remove", ["rm"]],
  ["rmi", ["rm"]],
  ["save", ["export"]],
  // az acr
  ["check-health", ["doctor"]],
  ["list", ["ls"]],
  ["repository", ["ls"]],
  ["show-manifests", ["ls"]],
  ["show-tags", ["ls"]],
  ["show-usage", ["du"]],
  // Words for the same
  ["cat", ["raw"]],
  ["get", ["pull", "raw"]],
  ["help", ["--help"]],
  ["list-repositories", ["ls"]],
  ["retag", ["tag"]],
  ["tags", ["ls"]],
  ["usage", ["du"]],
  ["verify", ["validate"]],
  ["version", ["--version"]]
])

/** Other commands name the folder of a pull, or the file of an image, by a second argument. */
export const afterPull = "-o DIR names the folder. eacr export writes an image into a file"

/** The flags to suggest for a flag of another command. */
export const otherFlags: ReadonlyMap<string, ReadonlyArray<string>> = new Map([
  // crane
  ["--insecure", ["--plain-http"]],
  // oras: signatures and SBOMs go along by default.
  ["-r", ["--referrers, which is the default"]],
  ["--recursive", ["--referrers, which is the default"]],
  // docker: lists of processes would show a password.
  ["-p", ["--password-stdin"]],
  ["--password", ["--password-stdin"]],
  // regctl
  ["--digest-tags", ["--cosign-tags"]],
  // skopeo
  ["--tls-verify", ["--plain-http", "--ca-file"]]
])
