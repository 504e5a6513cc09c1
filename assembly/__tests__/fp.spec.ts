import { Fp } from "../field";
import { SAKKE_P } from "../generated/moduli";
import { describeField } from "./fields";
import { isFused } from "../selftest";

// Where products are rounded twice the FMA build is refused at load, and there is nothing to test.
if (isFused() == 1) describeField<Fp>("F_p of SAKKE", SAKKE_P);
