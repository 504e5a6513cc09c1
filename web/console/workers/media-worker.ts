/** The worker of media, as the push-to-talk page has it, with private calls. */
import { runMedia } from "../../client/workers/media.ts";
import { privateCallOf } from "./private-call.ts";

runMedia(privateCallOf);
