/** A dispatcher's private call: with one user, under a key that only the two have. */
import { floors } from "../../client/app/calls.ts";
import { callUser, hangUp, privateCall } from "./dispatcher.ts";
import { TalkButton, VolumeSlider } from "./talk-controls.tsx";
import { shortName } from "./words.ts";

export function DispatcherPrivate() {
  const call = privateCall.value;
  return call === undefined ? <Place /> : <Placed {...call} />;
}

function Place() {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const user = String(new FormData(event.currentTarget as HTMLFormElement).get("callee")).trim();
    if (user !== "") callUser(user);
  };
  return (
    <form class="private" onSubmit={submit}>
      <label for="callee">Private call</label>
      <input
        id="callee"
        name="callee"
        required
        autocomplete="off"
        spellcheck={false}
        placeholder="sip:alice@example.org"
      />
      <button type="submit">Call</button>
    </form>
  );
}

function Placed({ user, state: callState }: { readonly user: string; readonly state: "calling" | "joined" }) {
  const state = floors.value.get(user)?.state ?? "idle";
  const name = shortName(user);
  return (
    <section class="private" aria-label={`Private call with ${name}`}>
      <span role="status">
        {callState === "calling"
          ? `Calling ${name} …`
          : `Private call with ${name}. ${floorText(state, name)}`}
      </span>
      <VolumeSlider uri={user} name={name} />
      <TalkButton uri={user} text={`Hold to talk to ${name} alone`} />
      <button type="button" onClick={hangUp}>
        Hang up
      </button>
    </section>
  );
}

function floorText(state: string, name: string): string {
  switch (state) {
    case "granted":
      return `${name} hears you.`;
    case "taken":
      return `${name} talks.`;
    case "pending":
    case "queued":
      return "Asking for the floor …";
    default:
      return "Nobody talks.";
  }
}
