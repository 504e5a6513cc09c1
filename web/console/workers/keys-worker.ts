/** The worker of keys and SIP, as the push-to-talk page has it, with private calls and receipts. */
import { runKeys } from "../../client/workers/run-keys.ts";
import { PrivateSignalling } from "./private-signalling.ts";
import { Receipts } from "./receipts.ts";

runKeys({ PrivateSignalling, Receipts });
