// What the pages do with a script: copy a command, take the secret of a mailed link out of the address, and look again
// at what is awaited.

const WAIT = 3_000; // ms between two looks
const MAX_WAIT = 60_000; // ms between two that fail
const RESULT = 2_000; // ms for which a button has its result

const live = document.createElement("p");
live.className = "live";
live.setAttribute("aria-live", "polite");
document.body.append(live);

/** Puts a result on the button, and where a screen reader announces it. */
function announce(button, text) {
  button.dataset.label ??= button.textContent;
  live.textContent = text;
  button.textContent = text;
  setTimeout(() => {
    live.textContent = "";
    button.textContent = button.dataset.label;
  }, RESULT);
}

/** Copies the code beside a button. Without a secure context there is no clipboard, and it is selected. */
async function copy(button) {
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    announce(button, "Copied");
  } catch {
    getSelection().selectAllChildren(code);
    announce(button, "Selected");
  }
}

/** What needs a script is hidden until there is one. */
function uncover(part) {
  for (const button of part.querySelectorAll("[data-copy]")) button.hidden = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

/** Takes the secret from the fragment, which no server has seen, into the form. */
function takeSecret() {
  const field = document.querySelector("input[name=secret]");
  if (!field || location.hash.length < 2) return;
  field.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
}

/** Fetches this page again, and puts in what has changed of an element that waits; once it is gone, all of the page. */
async function look(element, known) {
  const response = await fetch(location.href, { cache: "no-store", redirect: "error" });
  if (!response.ok) throw new Error(response.statusText);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const found = page.querySelector("[data-poll]");
  if (!found) return location.reload();
  const html = found.outerHTML;
  if (html === known) return known;
  uncover(found);
  element.dataset.poll = found.dataset.poll;
  element.replaceChildren(...found.childNodes);
  return html;
}

async function poll(element) {
  let known = element.outerHTML;
  let wait = WAIT;
  while (element.dataset.poll === "waiting") {
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (document.hidden) continue;
    try {
      known = await look(element, known);
      wait = WAIT;
    } catch {
      // The page stays as it is, and the next look may succeed.
      wait = Math.min(2 * wait, MAX_WAIT);
    }
  }
}

const awaited = document.querySelector("[data-poll]");
if (awaited) poll(awaited);
uncover(document);
takeSecret();
addEventListener("hashchange", takeSecret);
