/**
 * What people do with a registry every day, in the words of the tools that they do it with.
 */
import type { ToolName } from "../support/tools.ts"
import type { differences } from "./differences.ts"

/** A command without its program. A `$name` stands for the registry, for the login, or for what a command before printed. */
export interface Command {
  readonly line: string
  /** The name by which commands after it know the last word that it prints. */
  readonly as?: string
  /** The file that it writes, which is compared too. */
  readonly file?: string
  /** Its standard input. */
  readonly input?: string
  /** With what the emulator refuses it, or what the tool says then; it succeeds otherwise. */
  readonly refusedWith?: string
  /** Why it ends otherwise on distribution v3; it ends the same way otherwise. */
  readonly differs?: keyof typeof differences
  /** Whether it prints what it does side by side. */
  readonly anyOrder?: true
  /** What differs from registry to registry or from run to run: the digests of its output, or the whole of it. */
  readonly random?: "digests" | "output"
}

export interface Script {
  readonly tool: Exclude<ToolName, "registry" | "conformance"> | "skopeo"
  /** Arguments of each command. */
  readonly before?: ReadonlyArray<string>
  /** The same for all commands. */
  readonly random?: "digests"
  readonly commands: ReadonlyArray<Command>
}

const crane: Script = {
  tool: "crane",
  commands: [
    { line: "ls $registry/tools/crane", refusedWith: "UNAUTHORIZED" },
    { line: "auth login $registry -u $username -p $password" },
    { line: "push image $registry/tools/crane:v1" },
    { line: "push image $registry/tools/crane:v1" },
    { line: "digest $registry/tools/crane:v1", as: "image" },
    { line: "manifest $registry/tools/crane:v1" },
    { line: "config $registry/tools/crane:v1" },
    { line: "tag $registry/tools/crane:v1 v2" },
    { line: "ls $registry/tools/crane" },
    { line: "ls --full-ref $registry/tools/crane" },
    { line: "copy $registry/tools/crane:v1 $registry/tools/crane-copy:v1" },
    { line: "copy $registry/tools/crane@$image $registry/tools/crane-copy:by-digest" },
    { line: "copy --all-tags $registry/tools/crane $registry/tools/crane-all" },
    { line: "catalog $registry" },
    { line: "pull $registry/tools/crane:v1 pulled.tar" },
    { line: "digest --tarball pulled.tar" },
    { line: "push pulled.tar $registry/tools/crane-tar:v1" },
    { line: "pull --format oci $registry/tools/crane:v1 pulled" },
    { line: "export $registry/tools/crane:v1 exported.tar", file: "exported.tar" },
    { line: "append -b $registry/tools/crane:v1 -f layer.tar.gz -t $registry/tools/crane:v3" },
    { line: "mutate $registry/tools/crane:v1 --label a=b -t $registry/tools/crane:v4" },
    { line: "flatten $registry/tools/crane:v3 -t $registry/tools/crane:v5", random: "digests" },
    {
      line: "rebase $registry/tools/crane:v3 --old_base $registry/tools/crane:v1 --new_base $registry/tools/crane:v4 -t $registry/tools/crane:v6",
      random: "digests"
    },
    { line: "index append -m $registry/tools/crane:v1 -m $registry/tools/crane:v3 -t $registry/tools/crane:index" },
    { line: "digest --platform linux/amd64 $registry/tools/crane:index" },
    { line: "index filter $registry/tools/crane:index --platform linux/amd64 -t $registry/tools/crane:filtered" },
    { line: "validate --remote $registry/tools/crane:index" },
    { line: "blob $registry/tools/crane@$layer" },
    { line: "delete $registry/tools/crane:v2", refusedWith: "UNSUPPORTED", differs: "deletionOfTags" },
    { line: "delete $registry/tools/crane-copy@$image" },
    { line: "manifest $registry/tools/crane-copy:v1", refusedWith: "MANIFEST_UNKNOWN" },
    { line: "manifest $registry/tools/crane:none", refusedWith: "MANIFEST_UNKNOWN" },
    { line: "ls $registry/tools/none", refusedWith: "NAME_UNKNOWN" },
    { line: "ls $registry/tools/crane", differs: "deletionOfTags" },
    { line: "auth logout $registry" },
    { line: "manifest $registry/tools/crane:v1", refusedWith: "UNAUTHORIZED" }
  ]
}

const regctl: Script = {
  tool: "regctl",
  commands: [
    { line: "registry set --skip-check --tls disabled $registry" },
    { line: "tag ls $registry/tools/regctl", refusedWith: "UNAUTHORIZED" },
    { line: "registry login $registry -u $username -p $password" },
    { line: "registry whoami $registry" },
    { line: "image copy ocidir://image:v1 $registry/tools/regctl:v1" },
    { line: "image copy ocidir://index:v1 $registry/tools/regctl:index" },
    { line: "image digest $registry/tools/regctl:v1", as: "image" },
    { line: "image digest --platform linux/arm64 $registry/tools/regctl:index" },
    { line: "image inspect $registry/tools/regctl:v1" },
    { line: "image manifest $registry/tools/regctl:index" },
    { line: "manifest head $registry/tools/regctl:v1" },
    { line: "manifest get --format raw-body $registry/tools/regctl:v1" },
    { line: "manifest get $registry/tools/regctl:index" },
    { line: "manifest diff $registry/tools/regctl:v1 $registry/tools/regctl:v1" },
    { line: "image copy $registry/tools/regctl:v1 $registry/tools/regctl:v2" },
    { line: "image copy $registry/tools/regctl:index $registry/tools/regctl-copy:index" },
    { line: "repo copy $registry/tools/regctl $registry/tools/regctl-all" },
    { line: "repo ls $registry" },
    { line: "tag ls $registry/tools/regctl" },
    { line: "blob put $registry/tools/regctl", input: "a blob", as: "blob" },
    { line: "blob head --format {{.GetDescriptor.Size}} $registry/tools/regctl $blob" },
    { line: "blob get $registry/tools/regctl $blob" },
    { line: "blob copy $registry/tools/regctl $registry/tools/regctl-blob $blob" },
    { line: "blob get $registry/tools/regctl-blob $blob" },
    { line: "blob delete $registry/tools/regctl-blob $blob" },
    { line: "blob get $registry/tools/regctl-blob $blob", refusedWith: "BLOB_UNKNOWN" },
    { line: "image get-file $registry/tools/regctl:v1 hello.txt" },
    { line: "image export $registry/tools/regctl:v1 exported.tar" },
    { line: "image import $registry/tools/regctl:imported exported.tar" },
    { line: "image digest $registry/tools/regctl:imported" },
    { line: "image mod $registry/tools/regctl:v1 --label a=b --create v3" },
    { line: "index create $registry/tools/regctl:made --ref $registry/tools/regctl:v1" },
    { line: "index add $registry/tools/regctl:made --ref $registry/tools/regctl:v3" },
    { line: "artifact put --artifact-type application/spdx+json --subject $registry/tools/regctl:v1 -f sbom.json" },
    { line: "artifact list $registry/tools/regctl:v1" },
    { line: "artifact get --subject $registry/tools/regctl:v1" },
    { line: "artifact tree $registry/tools/regctl:v1" },
    { line: "artifact put $registry/tools/regctl:artifact --artifact-type application/vnd.example -f blob.txt" },
    { line: "artifact get $registry/tools/regctl:artifact" },
    { line: "image copy --referrers $registry/tools/regctl:v1 $registry/tools/regctl-signed:v1" },
    { line: "artifact list $registry/tools/regctl-signed:v1" },
    { line: "tag ls $registry/tools/regctl-signed", differs: "referrersApi" },
    { line: "tag delete $registry/tools/regctl:v2" },
    { line: "tag ls $registry/tools/regctl", differs: "referrersApi" },
    { line: "manifest delete $registry/tools/regctl-all@$image" },
    { line: "manifest head $registry/tools/regctl-all:v1", refusedWith: "NOT_FOUND" },
    { line: "manifest head $registry/tools/regctl:none", refusedWith: "NOT_FOUND" },
    { line: "registry logout $registry" },
    { line: "manifest head $registry/tools/regctl:v1", refusedWith: "UNAUTHORIZED" }
  ]
}

const oras: Script = {
  tool: "oras",
  commands: [
    { line: "repo tags --plain-http $registry/tools/oras", refusedWith: "UNAUTHORIZED", differs: "challenge" },
    { line: "login --plain-http $registry -u $username -p $password" },
    { line: "cp --no-tty --from-oci-layout image:v1 --to-plain-http $registry/tools/oras:v1", anyOrder: true },
    { line: "cp --no-tty --from-oci-layout index:v1 --to-plain-http $registry/tools/oras:index", anyOrder: true },
    { line: "resolve --plain-http $registry/tools/oras:v1", as: "image" },
    { line: "resolve --plain-http --platform linux/arm64 $registry/tools/oras:index" },
    { line: "manifest fetch --plain-http $registry/tools/oras:v1" },
    { line: "manifest fetch --plain-http --descriptor $registry/tools/oras:index" },
    { line: "manifest fetch-config --plain-http $registry/tools/oras:v1" },
    { line: "tag --plain-http $registry/tools/oras:v1 v2 v3", anyOrder: true },
    { line: "repo tags --plain-http $registry/tools/oras" },
    { line: "repo tags --plain-http --last v1 $registry/tools/oras" },
    { line: "repo ls --plain-http $registry" },
    { line: "repo ls --plain-http $registry/tools/" },
    {
      line: "cp --no-tty --from-plain-http --to-plain-http $registry/tools/oras:index $registry/tools/oras-copy:index",
      anyOrder: true
    },
    {
      line: "push --no-tty --plain-http --artifact-type application/vnd.example --annotation org.opencontainers.image.created=2026-01-01T00:00:00Z $registry/tools/oras:file blob.txt",
      anyOrder: true
    },
    { line: "pull --no-tty --plain-http -o pulled $registry/tools/oras:file", file: "pulled/blob.txt", anyOrder: true },
    {
      line: "attach --no-tty --plain-http --artifact-type application/spdx+json --annotation org.opencontainers.image.created=2026-01-01T00:00:00Z $registry/tools/oras:v1 sbom.json",
      anyOrder: true
    },
    { line: "discover --plain-http $registry/tools/oras:v1" },
    { line: "discover --plain-http --format json $registry/tools/oras:v1" },
    { line: "discover --plain-http --artifact-type application/none $registry/tools/oras:v1" },
    {
      line: "cp --no-tty -r --from-plain-http --to-plain-http $registry/tools/oras:v1 $registry/tools/oras-signed:v1",
      anyOrder: true
    },
    { line: "discover --plain-http $registry/tools/oras-signed:v1" },
    { line: "repo tags --plain-http $registry/tools/oras-signed", differs: "referrersApi" },
    {
      line: "cp --no-tty -r --from-plain-http $registry/tools/oras:v1 --to-oci-layout pulled-layout:v1",
      anyOrder: true
    },
    { line: "backup --no-tty --plain-http -o backup.tar $registry/tools/oras:v1", anyOrder: true },
    { line: "restore --no-tty --plain-http --input backup.tar $registry/tools/oras-restored:v1", anyOrder: true },
    { line: "blob push --no-tty --plain-http $registry/tools/oras blob.txt", anyOrder: true },
    { line: "blob fetch --no-tty --plain-http -o fetched.txt $registry/tools/oras@$blob", file: "fetched.txt" },
    { line: "manifest index create --plain-http $registry/tools/oras:made v1", anyOrder: true },
    { line: "manifest index update --plain-http $registry/tools/oras:made --add v1", anyOrder: true },
    { line: "blob delete --plain-http --force $registry/tools/oras@$blob" },
    { line: "blob fetch --plain-http --descriptor $registry/tools/oras@$blob", refusedWith: "NOT_FOUND" },
    { line: "manifest fetch --plain-http -o manifest.json $registry/tools/oras:v1", file: "manifest.json" },
    { line: "manifest push --plain-http $registry/tools/oras:pushed manifest.json", anyOrder: true },
    {
      line: "manifest push --plain-http --media-type application/vnd.oci.image.manifest.v1+json $registry/tools/oras:bad -",
      refusedWith: "MANIFEST_INVALID",
      differs: "manifestOfNoVersion",
      input: "{}"
    },
    { line: "manifest delete --plain-http --force $registry/tools/oras-copy@$image" },
    { line: "manifest delete --plain-http --force $registry/tools/oras@$image" },
    { line: "manifest fetch --plain-http $registry/tools/oras:v1", refusedWith: "NOT_FOUND" },
    { line: "discover --plain-http $registry/tools/oras@$image", refusedWith: "NOT_FOUND" },
    { line: "repo tags --plain-http $registry/tools/oras", differs: "referrersApi" },
    { line: "repo tags --plain-http $registry/tools/none", refusedWith: "NAME_UNKNOWN" },
    { line: "logout $registry" },
    { line: "repo tags --plain-http $registry/tools/oras", refusedWith: "UNAUTHORIZED", differs: "challenge" }
  ]
}

const skopeo: Script = {
  tool: "skopeo",
  before: ["--insecure-policy"],
  commands: [
    { line: "list-tags --tls-verify=false docker://$registry/tools/skopeo", refusedWith: "UNAUTHORIZED" },
    { line: "login --tls-verify=false $registry -u $username -p $password" },
    { line: "login --tls-verify=false $registry -u $username -p wrong", refusedWith: "invalid username/password" },
    { line: "copy --dest-tls-verify=false oci:image:v1 docker://$registry/tools/skopeo:v1", anyOrder: true },
    { line: "copy --all --dest-tls-verify=false oci:index:v1 docker://$registry/tools/skopeo:index", anyOrder: true },
    {
      line: "copy --dest-tls-verify=false --format v2s2 oci:image:v1 docker://$registry/tools/skopeo:docker",
      anyOrder: true
    },
    { line: "inspect --tls-verify=false docker://$registry/tools/skopeo:v1" },
    { line: "inspect --tls-verify=false --raw docker://$registry/tools/skopeo:index" },
    { line: "inspect --tls-verify=false --raw docker://$registry/tools/skopeo:docker" },
    { line: "inspect --tls-verify=false --config docker://$registry/tools/skopeo:v1" },
    { line: "list-tags --tls-verify=false docker://$registry/tools/skopeo" },
    {
      line: "copy --all --src-tls-verify=false --dest-tls-verify=false docker://$registry/tools/skopeo:index docker://$registry/tools/skopeo-copy:index",
      anyOrder: true
    },
    {
      line: "copy --src-tls-verify=false docker://$registry/tools/skopeo:v1 dir:pulled",
      anyOrder: true,
      file: "pulled/manifest.json"
    },
    {
      line: "copy --src-tls-verify=false docker://$registry/tools/skopeo:v1 oci:pulled-oci:v1",
      anyOrder: true,
      file: "pulled-oci/index.json"
    },
    {
      line: "copy --src-tls-verify=false docker://$registry/tools/skopeo:docker docker-archive:pulled.tar",
      anyOrder: true
    },
    { line: "sync --src docker --dest dir --src-tls-verify=false $registry/tools/skopeo-copy synced", anyOrder: true },
    { line: "delete --tls-verify=false docker://$registry/tools/skopeo:docker" },
    { line: "inspect --tls-verify=false docker://$registry/tools/skopeo:docker", refusedWith: "MANIFEST_UNKNOWN" },
    { line: "list-tags --tls-verify=false docker://$registry/tools/skopeo" },
    { line: "inspect --tls-verify=false docker://$registry/tools/skopeo:none", refusedWith: "MANIFEST_UNKNOWN" },
    { line: "logout $registry" },
    { line: "inspect --tls-verify=false docker://$registry/tools/skopeo:v1", refusedWith: "UNAUTHORIZED" }
  ]
}

const signing = "--key cosign.key --tlog-upload=false --yes"
const verifying = "--key cosign.pub --insecure-ignore-tlog=true"
const bundle = "--new-bundle-format --trusted-root root.json"

const cosign: Script = {
  tool: "cosign",
  random: "digests",
  commands: [
    { line: "generate-key-pair" },
    { line: "triangulate $registry/tools/cosign:v1", refusedWith: "UNAUTHORIZED" },
    { line: "login $registry -u $username -p $password" },
    { line: "upload blob -f blob.txt $registry/tools/cosign:v1" },
    { line: "triangulate --type digest $registry/tools/cosign:v1", as: "image" },
    { line: "triangulate $registry/tools/cosign:v1" },
    { line: `verify ${verifying} $image`, refusedWith: "no signatures found" },
    { line: `sign ${signing} $image` },
    { line: `verify ${verifying} $image` },
    { line: "download signature $image", random: "output" },
    { line: `attest ${signing} --type custom --predicate sbom.json $image` },
    { line: `verify-attestation ${verifying} --type custom $image`, random: "output" },
    { line: "download attestation $image", random: "output" },
    { line: "attach sbom --sbom sbom.json $image" },
    { line: "download sbom $image" },
    { line: "tree $image", anyOrder: true },
    { line: "copy $image $registry/tools/cosign-copy:v1" },
    { line: `verify ${verifying} $registry/tools/cosign-copy:v1` },
    { line: "save --dir saved $image" },
    { line: "load --dir saved $registry/tools/cosign-loaded:v1" },
    { line: `verify ${verifying} $registry/tools/cosign-loaded:v1` },
    { line: "upload blob -f blob.txt $registry/tools/cosign-bundle:v1" },
    { line: "triangulate --type digest $registry/tools/cosign-bundle:v1", as: "other" },
    { line: `sign ${signing} --new-bundle-format=true $other` },
    { line: `verify ${verifying} ${bundle} $other` },
    { line: "tree $other", anyOrder: true },
    { line: "clean --type signature -f $image" },
    { line: `verify ${verifying} $image`, differs: "deletionOfTags" }
  ]
}

/** They run side by side with nothing: each has a registry of its own. */
export const scripts: ReadonlyArray<Script> = [crane, regctl, oras, skopeo, cosign]
