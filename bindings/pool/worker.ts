/** Entry of a pool's workers. */
import { openSealing } from "./seal-session.ts";
import { serve } from "./serve.ts";

serve(openSealing);
