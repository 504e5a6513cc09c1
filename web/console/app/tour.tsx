/** A tour of an empty system: a first group, two pages to talk in, and what to look at then. */
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { say } from "../../client/app/notice.ts";
import { session } from "./api.ts";
import { hrefOf } from "./route.ts";
import { change, groups } from "./store.ts";
import { errorText, shortName } from "./words.ts";

const GROUP = "sip:first@example.org";
const MEMBERS = ["sip:alice@example.org", "sip:bob@example.org"];

/** Goes on after its first step, which ends the emptiness. */
const isBegun = signal(false);

export function Tour() {
  const [isBusy, setBusy] = useState(false);
  if (groups.value === undefined || (groups.value.length > 0 && !isBegun.value)) return null;
  const isMade = groups.value.some(({ uri }) => uri === GROUP);
  const make = () => {
    setBusy(true);
    isBegun.value = true;
    change
      .createGroup(
        GROUP,
        MEMBERS.map((uri) => ({ uri })),
        { displayName: "First group" },
      )
      .then(() => {
        say("The first group is made");
      })
      .catch((error: unknown) => {
        say(errorText(error));
      })
      .finally(() => setBusy(false));
  };
  return (
    <section class="tour" aria-label="Tour">
      <div class="head">
        <h2>Begin here</h2>
        {isMade && (
          <button
            type="button"
            onClick={() => {
              isBegun.value = false;
            }}
          >
            End the tour
          </button>
        )}
      </div>
      <ol>
        <li>
          {isMade ? (
            <>
              <a href={hrefOf("groups", GROUP)}>The first group</a> has two members,{" "}
              {MEMBERS.map(shortName).join(" and ")}.
            </>
          ) : (
            <>
              <p>This system has no group yet. Make one with two members to try it out.</p>
              <button type="button" class="main" disabled={isBusy} onClick={make}>
                Make a first group
              </button>
            </>
          )}
        </li>
        <li>
          <TestPages />
        </li>
        <li>
          Watch <a href={hrefOf("groups", GROUP)}>the keys</a> reach both members, and{" "}
          <a href={hrefOf("calls")}>who talks</a> in the call.
        </li>
      </ol>
    </section>
  );
}

function TestPages() {
  const page = session.value?.talkPage;
  if (page === undefined) {
    return (
      <>
        <p>Receive its key as a member, on the machine of the servers:</p>
        <p>
          <code>mikey-sakke client run --local --user {MEMBERS[0]}</code>
        </p>
      </>
    );
  }
  return (
    <>
      <p>Open both test pages, join in each, and hold the button to talk:</p>
      <ul>
        {MEMBERS.map((user) => (
          <li key={user}>
            <a href={`${page}/?${new URLSearchParams({ user })}`} target="_blank" rel="noreferrer">
              Test page of {shortName(user)}
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
