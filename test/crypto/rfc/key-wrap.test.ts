/** AES key wrap: the vectors of RFC 3394 4 and RFC 5649 6, and both platforms against each other. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fromHex, toHex } from "../../../base/bytes.ts";
import { unwrapKey, wrapKey } from "../../../bindings/symmetric/key-wrap.ts";
import {
  type BlockCipher,
  type KeyWrapForm,
  unwrapWith,
  wrapWith,
} from "../../../bindings/symmetric/key-wrap-blocks.ts";

const KEK = fromHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

/** RFC 3394 4.1 to 4.6: octets of the KEK, key, wrapped key. */
const RFC3394: [number, string, string][] = [
  [16, "00112233445566778899aabbccddeeff", "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"],
  [24, "00112233445566778899aabbccddeeff", "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"],
  [32, "00112233445566778899aabbccddeeff", "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"],
  [
    24,
    "00112233445566778899aabbccddeeff0001020304050607",
    "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2",
  ],
  [
    32,
    "00112233445566778899aabbccddeeff0001020304050607",
    "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1",
  ],
  [
    32,
    "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
    "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
  ],
];

/** RFC 5649 6 */
const RFC5649_KEK = fromHex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
const RFC5649: [string, string][] = [
  [
    "c37b7e6492584340bed12207808941155068f738",
    "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
  ],
  ["466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"],
];

/** Single blocks of node:crypto, for KEKs that the package does not take. */
function nodeBlocks(kek: Uint8Array): BlockCipher {
  const name = `aes-${8 * kek.length}-ecb`;
  return {
    encrypt: async (block) => createCipheriv(name, kek, null).setAutoPadding(false).update(block),
    decrypt: async (block) => createDecipheriv(name, kek, null).setAutoPadding(false).update(block),
  };
}

function hideNode(): void {
  vi.stubGlobal("process", { ...process, getBuiltinModule: undefined });
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("AES key wrap gives the published values of", () => {
  it.each(RFC3394)("RFC 3394 4, KEK of %i octets, key %s", async (size, key, wrapped) => {
    const blocks = nodeBlocks(KEK.subarray(0, size));
    expect(toHex(await wrapWith(blocks, fromHex(key), "rfc3394"))).toBe(wrapped);
    expect(toHex((await unwrapWith(blocks, fromHex(wrapped)))!)).toBe(key);
  });

  it.each(RFC3394.filter(([size]) => size === 32))(
    "RFC 3394 4, KEK of %i octets, key %s, for the whole key",
    async (_, key, wrapped) => {
      for (const host of ["node", "browser"]) {
        if (host === "browser") hideNode();
        expect(toHex(await wrapKey(KEK, fromHex(key)))).toBe(wrapped);
        expect(toHex(await unwrapKey(KEK, fromHex(wrapped)))).toBe(key);
      }
    },
  );

  it.each(RFC5649)("RFC 5649 6, key %s", async (key, wrapped) => {
    const blocks = nodeBlocks(RFC5649_KEK);
    expect(toHex(await wrapWith(blocks, fromHex(key), "rfc5649"))).toBe(wrapped);
    expect(toHex((await unwrapWith(blocks, fromHex(wrapped)))!)).toBe(key);
  });
});

describe("key wrap by node:crypto and by WebCrypto", () => {
  const cases: [number, KeyWrapForm | undefined][] = [
    ...[1, 7, 8, 9, 15, 16, 17, 32, 64, 65, 256, 257].map((n): [number, undefined] => [n, undefined]),
    [8, "rfc5649"],
    [16, "rfc5649"],
    [32, "rfc5649"],
    [256, "rfc5649"],
    [32, "rfc3394"],
  ];

  it.each(cases)("agrees on a key of %i octets (form: %s)", async (length, form) => {
    const kek = randomBytes(32);
    const key = new Uint8Array(randomBytes(length));
    const byNode = await wrapKey(kek, key, form);
    hideNode();
    const byWebCrypto = await wrapKey(kek, key, form);
    expect(byWebCrypto).toEqual(byNode);
    expect(await unwrapKey(kek, byNode)).toEqual(key);
    vi.unstubAllGlobals();
    expect(await unwrapKey(kek, byWebCrypto)).toEqual(key);
  });
});

describe.each(["node", "browser"])("key unwrapping (%s) refuses", (host) => {
  const refused = (wrapped: Uint8Array, kek = KEK) => {
    if (host === "browser") hideNode();
    return expect(unwrapKey(kek, wrapped)).rejects.toMatchObject({ kind: "crypto", code: "KEY_UNWRAP" });
  };
  /** Wraps whole blocks behind any integrity value. */
  const forge = (value: string, blocks: string) => {
    const cipher = createCipheriv("id-aes256-wrap", KEK, fromHex(value));
    return new Uint8Array(Buffer.concat([cipher.update(fromHex(blocks)), cipher.final()]));
  };

  it.each([9, 16, 32, 257])("a bit changed anywhere, another KEK, %i octets", async (length) => {
    const wrapped = await wrapKey(KEK, new Uint8Array(length).fill(7));
    for (const at of [0, 7, 8, wrapped.length - 1]) {
      await refused(wrapped.map((octet, i) => (i === at ? octet ^ 1 : octet)));
    }
    await refused(wrapped, new Uint8Array(32));
  });

  it.each([0, 8, 15, 17, 41])("a length that no wrapped key has: %i", (length) =>
    refused(new Uint8Array(length)),
  );

  const blocks = "a828cbda9b5ff0ae37000000000000000000000000000000";
  it.each([
    ["another prefix", "a65959a700000014", blocks],
    ["a length beyond the blocks", "a65959a600000019", blocks],
    ["a length of too few blocks", "a65959a600000010", blocks],
    ["a length of nothing", "a65959a600000000", blocks],
    ["a length that is negative as a signed number", "a65959a6fffffff8", blocks],
    ["padding that is not zero", "a65959a600000014", `${blocks.slice(0, -2)}01`],
    ["padding that is not zero at its start", "a65959a600000014", `${blocks.slice(0, 40)}80000000`],
    ["one octet of RFC 3394's value changed", "a6a6a6a6a6a6a6a7", blocks],
  ])("%s", (_, value, text) => refused(forge(value, text)));

  it("nothing that the same forging makes with right values", async () => {
    if (host === "browser") hideNode();
    expect(toHex(await unwrapKey(KEK, forge("a65959a600000014", blocks)))).toBe(blocks.slice(0, 40));
    expect(toHex(await unwrapKey(KEK, forge("a6a6a6a6a6a6a6a6", blocks)))).toBe(blocks);
  });

  it("keys and forms that cannot be", async () => {
    if (host === "browser") hideNode();
    const wrong = { kind: "usage", code: "WRONG_LENGTH" };
    await expect(wrapKey(KEK, new Uint8Array(0))).rejects.toMatchObject(wrong);
    await expect(wrapKey(KEK, new Uint8Array(8), "rfc3394")).rejects.toMatchObject(wrong);
    await expect(wrapKey(KEK, new Uint8Array(257), "rfc3394")).rejects.toMatchObject(wrong);
    await expect(wrapKey(KEK.subarray(1), new Uint8Array(16))).rejects.toMatchObject(wrong);
    await expect(unwrapKey(KEK.subarray(16), new Uint8Array(24))).rejects.toMatchObject(wrong);
  });
});
