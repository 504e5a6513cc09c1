/** The first screen of the page. */
import { SignInForm } from "./sign-in-form.tsx";
import { signIn } from "./store.ts";

export function SignIn() {
  return (
    <main class="sign-in">
      <h1>Push to talk</h1>
      <SignInForm join={signIn} />
      <p>What is said is encrypted from member to member: the server that carries it has no key.</p>
    </main>
  );
}
