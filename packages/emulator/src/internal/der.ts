/**
 * The parts of DER that certificates need: ITU-T X.690, section 10.
 */

/** An element: its tag, the length of its contents, and its contents. */
export const element = (tag: number, ...contents: ReadonlyArray<Uint8Array>): Uint8Array => {
  const content = Buffer.concat(contents)
  return Buffer.concat([Uint8Array.of(tag, ...lengthOf(content.length)), content])
}

/** Lengths up to 127 are one byte. Larger ones are preceded by a byte with the number of their bytes. */
const lengthOf = (length: number): ReadonlyArray<number> => {
  if (length < 0x80) return [length]
  const bytes = bigEndian(length)
  return [0x80 | bytes.length, ...bytes]
}

const bigEndian = (value: number): ReadonlyArray<number> =>
  value < 0x100 ? [value] : [...bigEndian(Math.floor(value / 0x100)), value % 0x100]

export const sequence = (...contents: ReadonlyArray<Uint8Array>): Uint8Array => element(0x30, ...contents)

export const set = (...contents: ReadonlyArray<Uint8Array>): Uint8Array => element(0x31, ...contents)

/** An integer in as few bytes as it needs. The highest bit of the first one is its sign. */
export const integer = (...bytes: ReadonlyArray<number>): Uint8Array => element(0x02, Uint8Array.from(bytes))

export const yes: Uint8Array = element(0x01, Uint8Array.of(0xff))

export const octets = (...contents: ReadonlyArray<Uint8Array>): Uint8Array => element(0x04, ...contents)

/** Bits, the last of whose bytes leaves some unused. */
export const bits = (content: Uint8Array, unused = 0): Uint8Array => element(0x03, Uint8Array.of(unused), content)

export const text = (value: string): Uint8Array => element(0x0c, Buffer.from(value))

/** An object identifier: `2.5.29.17`. */
export const identifier = (dotted: string): Uint8Array => {
  const [first = 0, second = 0, ...others] = dotted.split(".").map(Number)
  return element(0x06, Uint8Array.from([first * 40 + second, ...others].flatMap(base128)))
}

/** Seven bits per byte. All bytes except the last have the eighth bit set. */
const base128 = (value: number): ReadonlyArray<number> =>
  value < 0x80 ? [value] : [...base128(Math.floor(value / 0x80)).map((byte) => byte | 0x80), value % 0x80]

/** A time in seconds, with two digits of the year: up to 2049, as RFC 5280, section 4.1.2.5, requires. */
export const time = (millis: number): Uint8Array =>
  element(
    0x17,
    Buffer.from(
      `${new Date(millis)
        .toISOString()
        .replace(/[-:T]|\.\d+/g, "")
        .slice(2)}`
    )
  )
