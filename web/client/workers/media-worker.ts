/** The worker of media: it lives as long as the page. */
import { runMedia } from "./media.ts";

runMedia();
