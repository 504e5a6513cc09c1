/** Above the tiles: lets a dispatcher join as an MC user, and talk to several groups at once. */
import { connected, floors, microphone, release, user, wantsFloor } from "../../client/app/calls.ts";
import { HoldButton } from "../../client/app/hold-button.tsx";
import { leave } from "../../client/app/identity.ts";
import { SignInAgain, SignInForm } from "../../client/app/sign-in-form.tsx";
import { session } from "./api.ts";
import { canTalkTo, join, memberships, press, selected } from "./dispatcher.ts";
import { DispatcherPrivate } from "./dispatcher-private.tsx";

export function DispatcherBar() {
  if (session.value?.talks !== true) return null;
  if (user.value === undefined) {
    return (
      <details class="dispatcher">
        <summary>Take part in calls</summary>
        <SignInForm join={join} />
      </details>
    );
  }
  return (
    <section class="dispatcher" aria-label="Dispatcher">
      <p>
        You take part as <strong>{user.value}</strong>, {connectionText()}.{" "}
        <button type="button" onClick={leave}>
          Leave the calls
        </button>
      </p>
      <SignInAgain />
      {memberships.value.size === 0 && (
        <p class="quiet">No group has come yet: you hear those you are a member of.</p>
      )}
      {microphone.value === "on" ? <TalkToSelected /> : <p class="quiet">You listen only.</p>}
      <DispatcherPrivate />
    </section>
  );
}

function TalkToSelected() {
  const groups = [...selected.value].filter(canTalkTo);
  const granted = groups.filter((group) => floors.value.get(group)?.state === "granted").length;
  return (
    <p>
      <HoldButton
        class="hold"
        text={`Hold to talk to ${groups.length} selected`}
        canTalk={groups.length > 0}
        isWanted={groups.some(wantsFloor)}
        begin={() => press(groups)}
        release={release}
      />{" "}
      <span class="quiet" role="status">
        {granted > 0 && `${granted} of ${groups.length} hear you.`}
      </span>
    </p>
  );
}

function connectionText(): string {
  const { gms, mcx } = connected.value;
  if (gms && mcx) return "connected";
  return mcx ? "connected, new keys do not come" : "connecting";
}
