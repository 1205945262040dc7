/**
 * The annotations that oras writes on the layers of an artifact of files. Source: oras-go, content/file.
 */

/** Whether a layer is a folder in an archive. */
export const unpack = "io.deis.oras.content.unpack"

/** The digest of that archive before compression. */
export const unpackedDigest = "io.deis.oras.content.digest"
