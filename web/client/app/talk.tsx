/** Hold to talk: by the buttons, or by a key. */
import { left, microphone, release, user, wantsFloor } from "./calls.ts";
import { HoldButton } from "./hold-button.tsx";
import { shortName } from "./names.ts";
import { floor, group, press, talkKey } from "./store.ts";

const TYPING = "input, textarea, select, button, [contenteditable]";

/** The key is held anywhere on the page but where keys have a meaning of their own. */
export function listenForKey(): void {
  addEventListener("keydown", (event) => {
    const { code, target, repeat } = event;
    if (code !== talkKey.value || user.value === undefined) return;
    if (target instanceof Element && target.matches(TYPING)) return;
    event.preventDefault();
    if (!repeat) press();
  });
  addEventListener("keyup", ({ code }) => code === talkKey.value && release());
}

export function Talk() {
  const state = floor.value?.state ?? "idle";
  const isTalking = state === "granted";
  return (
    <section class="talk" aria-label="Talk">
      <TalkButton class={`hold ${state}`} text={isTalking ? "Talking" : "Hold to talk"} />
      <p class="floor" role="status">
        {floor.value?.isEmergency && <strong class="emergency">Emergency. </strong>}
        {floorText()}
      </p>
      {left.value !== undefined && <p class="quiet">{left.value} s left</p>}
      <TalkButton class="alarm" text="Emergency: hold to talk" isEmergency />
    </section>
  );
}

interface TalkButtonProps {
  readonly class: string;
  readonly text: string;
  readonly isEmergency?: boolean;
}

function TalkButton({ isEmergency, ...button }: TalkButtonProps) {
  const canTalk =
    microphone.value === "on" && group.value?.key !== undefined && group.value.call === "joined";
  const isWanted = wantsFloor(group.value?.uri);
  return <HoldButton {...button} {...{ canTalk, isWanted, release }} begin={() => press(isEmergency)} />;
}

function floorText(): string {
  const now = floor.value;
  if (microphone.value !== "on") return "You listen only.";
  switch (now?.state) {
    case "granted":
      return "Everybody hears you.";
    case "pending":
      return "Asking for the floor …";
    case "queued":
      return `In the queue, place ${now.position ?? "?"}: ${who(now.talker)} talks.`;
    case "releasing":
      return "Giving back the floor …";
    case "taken":
      return `${who(now.talker)} talks.`;
    default:
      return "Nobody talks.";
  }
}

function who(talker: string | undefined): string {
  return talker === undefined ? "Somebody" : shortName(talker);
}
