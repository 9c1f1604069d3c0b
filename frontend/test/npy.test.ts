import { describe, expect, test } from "vitest";
import { decodeBytes, decodeDoubles, decodeFloats, NpyError } from "../src/contract/npy";

/** The bytes of an `.npy` file as NumPy writes it, version 1.0. */
function npy(descr: string, shape: string, data: Uint8Array, order = "False"): ArrayBuffer {
  const header = `${`{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`.padEnd(117)}\n`;
  const bytes = new Uint8Array(10 + header.length + data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(data, 10 + header.length);
  return bytes.buffer;
}

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe("an .npy body", () => {
  test("keeps its shape, its values and its missing values", () => {
    const array = decodeFloats(npy("<f4", "(1, 3)", floats(1.5, -2, Number.NaN)));
    expect(array.shape).toEqual([1, 3]);
    expect([...array.data]).toEqual([1.5, -2, Number.NaN]);
  });

  test("of doubles keeps what floats would round", () => {
    const data = new Uint8Array(Float64Array.of(1e6 + 0.01, Number.NaN).buffer);
    expect([...decodeDoubles(npy("<f8", "(1, 2)", data)).data]).toEqual([1e6 + 0.01, Number.NaN]);
  });

  test("of one axis has one length", () => {
    expect(decodeFloats(npy("<f4", "(2,)", floats(1, 2))).shape).toEqual([2]);
  });

  test("of bytes is read as bytes", () => {
    const array = decodeBytes(npy("|u1", "(2, 2)", Uint8Array.of(1, 0, 0, 1)));
    expect([...array.data]).toEqual([1, 0, 0, 1]);
  });

  test("written by NumPy itself is read", () => {
    const header =
      "934e554d5059010076007b276465736372273a20273c6634272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065273a2028312c2033292c207d";
    const hex = `${header}${"20".repeat(58)}0a0000c03f000000c00000c07f`;
    const file = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    expect([...decodeFloats(file.buffer).data]).toEqual([1.5, -2, Number.NaN]);
  });

  test("of another type is refused with both types", () => {
    expect(() => decodeFloats(npy("<f8", "(1,)", new Uint8Array(8)))).toThrow("has type <f8; expected <f4");
  });

  test("that is cut off is refused with both lengths", () => {
    expect(() => decodeFloats(npy("<f4", "(2, 2)", floats(1)))).toThrow("has 4 bytes; its shape (2,2) needs 16");
  });

  test("in Fortran order is refused", () => {
    expect(() => decodeFloats(npy("<f4", "(1,)", floats(1), "True"))).toThrow("not in C order");
  });

  test("that is something else is refused", () => {
    expect(() => decodeFloats(new TextEncoder().encode("<!doctype html>").buffer)).toThrow(NpyError);
  });
});
