/** The procedure of each request type. */
import type { RequestType } from "../common/path.ts";
import { cert } from "./cert.ts";
import { certcache } from "./certcache.ts";
import { init } from "./init.ts";
import { keyprov } from "./keyprov.ts";
import { lookup } from "./lookup.ts";
import type { Procedure } from "./procedure.ts";
import { redirect } from "./redirect.ts";

export const PROCEDURES: Record<RequestType, Procedure> = {
  init,
  keyprov,
  certcache,
  cert,
  lookup,
  redirect,
};
