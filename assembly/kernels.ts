// Both kernels. A target of asconfig.json makes one of these namespaces the global `kernel` ("use"), which field.ts,
// lanes.ts and selftest.ts build on: nothing else knows which kernel computes. A kernel has the two fields `fp` and
// `p256` with the same exports, what a lane is (lanes.ts), and its self-test.

import * as fma from "./fma/kernel";
import * as simd from "./simd/kernel";
