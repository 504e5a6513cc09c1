import * as k from "../fma/field";
import { SAKKE_P } from "../generated/moduli";
import { Kernel, describeKernel } from "./kernel";
import { isFused } from "../selftest";

// Where products are rounded twice the build is refused at load, and there is nothing to test.
if (isFused() == 1) describeKernel("F_p of SAKKE on fused multiply-add", {
  modulus: SAKKE_P,
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
