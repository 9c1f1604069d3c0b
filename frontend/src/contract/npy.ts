/** Parser of the `.npy` bodies in which the plugin sends numbers: version 1.0 to 3.0, little-endian, C order. */

type NpyData = Float32Array | Float64Array | Uint8Array | Uint16Array;

export interface NpyArray<Data extends NpyData = NpyData> {
  /** Lengths of the named axes, e.g. `[subsets, neurons]`. */
  shape: readonly number[];
  /** Row-major. */
  data: Data;
}

/** The body is not an array that this tab can read. */
export class NpyError extends Error {}

const MAGIC = "\x93NUMPY";

/** Decodes a body as float32; the array shares the body's memory where it is aligned. */
export function decodeFloats(body: ArrayBuffer): NpyArray<Float32Array> {
  return decode(body, "<f4", (buffer, start, length) => new Float32Array(buffer, start, length));
}

/** Decodes a body as float64. */
export function decodeDoubles(body: ArrayBuffer): NpyArray<Float64Array> {
  return decode(body, "<f8", (buffer, start, length) => new Float64Array(buffer, start, length));
}

/** Decodes a body as uint8. */
export function decodeBytes(body: ArrayBuffer): NpyArray<Uint8Array> {
  return decode(body, "|u1", (buffer, start, length) => new Uint8Array(buffer, start, length));
}

/** Decodes a body as uint16. */
export function decodeShorts(body: ArrayBuffer): NpyArray<Uint16Array> {
  return decode(body, "<u2", (buffer, start, length) => new Uint16Array(buffer, start, length));
}

function decode<Data extends NpyData>(
  body: ArrayBuffer,
  dtype: string,
  view: (buffer: ArrayBuffer, start: number, length: number) => Data,
): NpyArray<Data> {
  const { header, start } = readHeader(body);
  const found = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  if (found !== dtype) throw new NpyError(`The array has type ${found ?? "unknown"}; expected ${dtype}.`);
  if (!/'fortran_order':\s*False/.test(header)) throw new NpyError("The array is not in C order.");
  const axes = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (axes === undefined) throw new NpyError("The array's header names no shape.");
  const shape = axes
    .split(",")
    .filter((text) => text.trim() !== "")
    .map(Number);
  const length = shape.reduce((product, axis) => product * axis, 1);
  const size = Number(dtype.slice(2));
  if (body.byteLength - start !== length * size) {
    throw new NpyError(`The array has ${body.byteLength - start} bytes; its shape (${shape}) needs ${length * size}.`);
  }
  return start % size === 0
    ? { shape, data: view(body, start, length) }
    : { shape, data: view(body.slice(start), 0, length) };
}

function readHeader(body: ArrayBuffer): { header: string; start: number } {
  const bytes = new Uint8Array(body);
  const latin = new TextDecoder("latin1");
  if (bytes.length < 10 || String.fromCharCode(...bytes.subarray(0, 6)) !== MAGIC) {
    throw new NpyError("The answer is not an .npy array.");
  }
  const numbers = new DataView(body);
  const wide = (bytes[6] ?? 1) > 1;
  const begin = wide ? 12 : 10;
  const start = begin + (wide ? numbers.getUint32(8, true) : numbers.getUint16(8, true));
  if (start > bytes.length) throw new NpyError("The array's header is cut off.");
  return { header: latin.decode(bytes.subarray(begin, start)), start };
}
