// The sign-in page: keeps the place a link led to, shows the password on request, sends once.
const form = document.querySelector<HTMLFormElement>("#form");
const submit = document.querySelector<HTMLButtonElement>("#submit");
const reveal = document.querySelector<HTMLButtonElement>("#reveal");
const password = document.querySelector<HTMLInputElement>("#password");

if (form && submit) {
  // A redirect inherits the part after the hash, so a deep link still leads to its place after signing in.
  form.action = `/signin${location.hash}`;
  form.addEventListener("submit", (event) => {
    if (submit.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      return;
    }
    submit.setAttribute("aria-busy", "true");
    submit.textContent = "Signing in…";
  });
  addEventListener("pageshow", () => {
    submit.removeAttribute("aria-busy");
    submit.textContent = "Sign in";
  });
}

if (reveal && password) {
  reveal.hidden = false;
  reveal.addEventListener("click", () => {
    const shown = password.type === "text";
    password.type = shown ? "password" : "text";
    reveal.textContent = shown ? "Show" : "Hide";
    reveal.setAttribute("aria-pressed", String(!shown));
    password.focus();
  });
}
