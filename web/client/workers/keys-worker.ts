/** The worker of keys and SIP. */
import { runKeys } from "./run-keys.ts";

runKeys();
