import { P256 } from "../field";
import { P256_P } from "../generated/moduli";
import { describeField } from "./fields";
import { isFused } from "../selftest";

// Where products are rounded twice the FMA build is refused at load, and there is nothing to test.
if (isFused() == 1) describeField<P256>("F_p of P-256", P256_P);
