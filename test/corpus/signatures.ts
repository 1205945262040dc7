/**
 * Signatures and attestations, as cosign, Notation and BuildKit attach them.
 */
import { emptyConfig, image, index, pointer, type CorpusDocument, types } from "./corpus.ts"

const subject = pointer(types.image, 7143)
const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"
const simpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json"
const notary = "application/vnd.cncf.notary.signature"
const inToto = "application/vnd.in-toto+json"

const pem = (name: string) => `-----BEGIN ${name}-----\nMIIB\n-----END ${name}-----\n`

/** One signature in the manifest of a tag `sha256-<hex>.sig`. */
const signatureLayer = (size: number) =>
  pointer(simpleSigning, size, {
    annotations: {
      "dev.cosignproject.cosign/signature": "MEUCIQDc2lnbmF0dXJl",
      "dev.sigstore.cosign/certificate": pem("CERTIFICATE"),
      "dev.sigstore.cosign/chain": pem("CERTIFICATE") + pem("CERTIFICATE"),
      "dev.sigstore.cosign/bundle": '{"SignedEntryTimestamp":"MEUC","Payload":{"body":"e30=","logIndex":7}}'
    }
  })

const cosign: ReadonlyArray<CorpusDocument> = [
  image("cosign, two signatures under a tag ending in .sig", {
    config: pointer(types.config, 342),
    layers: [signatureLayer(246), signatureLayer(247)]
  }),
  image("cosign, a signature with Docker's media types", {
    mediaType: types.dockerImage,
    config: pointer(types.dockerConfig, 233),
    layers: [pointer(simpleSigning, 246, { annotations: { "dev.cosignproject.cosign/signature": "MEUC" } })]
  }),
  image("cosign, attestations under a tag ending in .att", {
    config: pointer(types.config, 342),
    layers: [
      pointer("application/vnd.dsse.envelope.v1+json", 12_288, {
        annotations: { "dev.cosignproject.cosign/signature": "", predicateType: "https://slsa.dev/provenance/v0.2" }
      })
    ]
  }),
  image("cosign, a bill of materials under a tag ending in .sbom", {
    config: pointer(types.config, 233),
    layers: [pointer("text/spdx+json", 40_960)]
  }),
  image("cosign, a signature as a referrer whose configuration names its kind", {
    config: pointer("application/vnd.dev.cosign.artifact.sig.v1+json", 233),
    layers: [signatureLayer(246)],
    subject
  }),
  image("cosign, a bundle as a referrer", {
    artifactType: bundleType,
    config: emptyConfig,
    layers: [pointer(bundleType, 4096)],
    subject,
    annotations: {
      "dev.sigstore.bundle.content": "dsse-envelope",
      "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1",
      "org.opencontainers.image.created": "2026-01-12T09:30:00Z"
    }
  }),
  image(
    "cosign, a bundle as its specification shows it, with a subject that has no size",
    {
      artifactType: bundleType,
      config: emptyConfig,
      layers: [pointer(bundleType, 4971)],
      subject: { mediaType: types.image, digest: subject.digest },
      annotations: { "dev.sigstore.bundle.content": "dsse-envelope" }
    },
    2
  )
]

const thumbprint = { "io.cncf.notary.x509chain.thumbprint#S256": '["6f1d4a0b"]' }

const notation: ReadonlyArray<CorpusDocument> = [
  image("Notation, a signature in JWS", {
    artifactType: notary,
    config: { mediaType: types.empty, digest: emptyConfig.digest, size: 2 },
    layers: [pointer("application/jose+json", 2093)],
    subject,
    annotations: { ...thumbprint, "org.opencontainers.image.created": "2026-02-01T10:00:00Z" }
  }),
  image("Notation, a signature in COSE", {
    artifactType: notary,
    config: { mediaType: types.empty, digest: emptyConfig.digest, size: 2 },
    layers: [pointer("application/cose", 1518)],
    subject,
    annotations: thumbprint
  }),
  image("Notation, a signature whose configuration names its kind", {
    config: { mediaType: notary, digest: emptyConfig.digest, size: 2 },
    layers: [pointer("application/jose+json", 2090)],
    subject,
    annotations: thumbprint
  }),
  index("Notation, the referrers of an image under the fallback tag", {
    manifests: [pointer(types.image, 728, { annotations: thumbprint, artifactType: notary })]
  })
]

const amd64 = pointer(types.image, 1673, { platform: { architecture: "amd64", os: "linux" } })
const arm = pointer(types.image, 1674, { platform: { architecture: "arm", os: "linux", variant: "v7" } })

const attestationOf = (of: { readonly digest: string }, size: number) =>
  pointer(types.image, size, {
    annotations: {
      "vnd.docker.reference.digest": of.digest,
      "vnd.docker.reference.type": "attestation-manifest"
    },
    platform: { architecture: "unknown", os: "unknown" }
  })

const statements = [
  pointer(inToto, 33_000, { annotations: { "in-toto.io/predicate-type": "https://spdx.dev/Document" } }),
  pointer(inToto, 9000, { annotations: { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1" } })
]

const buildx: ReadonlyArray<CorpusDocument> = [
  index(
    "buildx, an index with an attestation for each platform",
    { manifests: [amd64, arm, attestationOf(amd64, 840), attestationOf(arm, 841)] },
    2
  ),
  image("buildx, an attestation", { config: pointer(types.config, 241), layers: statements }, 2),
  image(
    "buildx, an attestation that is a referrer as well",
    {
      artifactType: "application/vnd.docker.attestation.manifest.v1+json",
      config: emptyConfig,
      layers: statements,
      subject: pointer(types.image, 1673)
    },
    2
  )
]

export const signatures = [...cosign, ...notation, ...buildx]
