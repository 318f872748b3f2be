// Stands in the page itself and runs before anything is loaded: what the address needs is asked for while the scripts come.
// Its hash is in the policy of the page, so it is the only text there that runs.

/** A call that was sent before there was anybody to take its answer. */
export interface Early {
  /** Name and parameters, as in `calls.ts`. */
  key: string;
  at: number;
  answer: Promise<Response>;
}

const here = /^#\/(explore|datasets|models)\/([\w-]+)(?:\/\w*)?(?:\?(.*))?$/.exec(location.hash);
const page = here?.[1];
const ref = here?.[2];

/** Name and parameters exactly as the page itself would ask, or nothing. */
function firstCall(): [string, object] | null {
  if (/^(#\/?)?$/.test(location.hash)) return ["home", {}];
  if (page === "datasets") return ["datasets.get", { ref }];
  if (page === "models") return ["models.get", { ref }];
  if (page !== "explore") return null;
  const version = Number(new URLSearchParams(here?.[3]).get("version"));
  return ["explore.open", version > 0 ? { ref, version } : { ref }];
}

const first = firstCall();
if (first) {
  const [name, params] = first;
  const body = JSON.stringify(params);
  const answer = fetch(`/call/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
    cache: "no-store",
    credentials: "same-origin",
    redirect: "error",
  });
  answer.catch(() => undefined); // a lost line: whoever takes it asks again
  Object.assign(globalThis, { early: { key: `${name} ${body}`, at: Date.now(), answer } satisfies Early });
}

// Charts will be drawn here: their library comes together with the page and not after its first answer.
const engine = document.currentScript?.dataset.engine;
if (engine && (page === "explore" || page === "models")) {
  document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: engine, fetchPriority: "low" }));
}
