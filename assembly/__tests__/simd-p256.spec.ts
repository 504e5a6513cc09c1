import * as k from "../simd/p256";
import { P256_P } from "../generated/moduli";
import { Kernel, describeKernel } from "./kernel";

describeKernel("F_p of P-256 on integer SIMD", {
  modulus: P256_P,
  lanes: k.LANES,
  bytes: k.BYTES,
  entryBytes: k.ENTRY_BYTES,
  one: k.ONE,
  rSquared: k.R_SQUARED,
  mul: k.mul,
  sqr: k.sqr,
  mulAddMul: k.mulAddMul,
  add: k.add,
  sub: k.sub,
  swapPairs: k.swapPairs,
  select: k.select,
  setWords: k.setWords,
  getWords: k.getWords,
  storeEntry: k.storeEntry,
  loadEntry: k.loadEntryUnsafe,
  selectionMasks: k.selectionMasks,
  scanRow: k.scanRow,
});
