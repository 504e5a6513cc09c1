/** Entry of a KMS pool's workers. */
import { openIssue } from "./issue-session.ts";
import { serve } from "./serve.ts";

serve(openIssue);
