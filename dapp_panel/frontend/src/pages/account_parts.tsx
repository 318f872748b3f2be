// Parts of Account: the own name, the places where one is signed in, the tokens of scripts.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { invalidate, useCall } from "../query";
import { account, nameOf } from "../session";
import type { AccountRead, Page, SessionRead, TokenMade, TokenRead, UsageRead } from "../schema";
import { Meter } from "../charts/small";
import { Button } from "../parts/button";
import { Dialog, ask } from "../parts/dialog";
import { Input, Select } from "../parts/field";
import { Icon } from "../parts/icon";
import { Ago, Badge, Bones, Card, Notice, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";

export function Name() {
  const [editing, setEditing] = useState(false);
  const [name, setName] = useState(account.value.name);
  const [trouble, setTrouble] = useState("");
  const save = () =>
    call<AccountRead>("account.profile", { name: name.trim() }).then(
      (fresh) => {
        account.value = fresh;
        setEditing(false);
      },
      (error: Failure) => setTrouble(error.message),
    );
  return (
    <div class="row" style={{ "--gap": "4px" }}>
      <h2 class="clip">{nameOf(account.value)}</h2>
      <Button small tone="ghost" icon="edit" label="Change your name" onClick={() => setEditing(true)} />
      {editing && (
        <Dialog
          title="Your name"
          onClose={() => setEditing(false)}
          actions={
            <>
              <Button onClick={() => setEditing(false)}>Cancel</Button>
              <Button tone="main" disabled={!name.trim()} onClick={save}>
                Save
              </Button>
            </>
          }
        >
          <Input label="Name" value={name} onInput={setName} error={trouble} hint="As others see you" />
        </Dialog>
      )}
    </div>
  );
}

export const DOORS: Record<string, string> = { dashboard: "Dashboard", api: "Client or script", jupyterlab: "JupyterLab", cli: "Command line" };

export function Devices() {
  const listed = useCall<Page<SessionRead>>("sessions.list");
  const again = () => invalidate((name) => name.startsWith("sessions.") || name.startsWith("tokens."));
  const items = (listed.data?.items ?? []).filter((each) => !each.token_name);
  const end = (session: SessionRead) => call("sessions.end", { ref: session.id }).then(again, (error: Failure) => toast({ tone: "bad", title: error.message }));
  return (
    <Card
      title="Where you are signed in"
      action={
        items.length > 1 && (
          <Button
            small
            onClick={() =>
              ask({
                title: "Sign out everywhere else?",
                words: "Every other place and every token of yours ends at once; this page goes on.",
                yes: "Sign out",
                act: () => call("sessions.end_others").then(again),
              })
            }
          >
            Sign out elsewhere
          </Button>
        )
      }
    >
      {listed.error && <Trouble error={listed.error} again={listed.reload} />}
      {!listed.data && !listed.error && <Bones lines={2} height={44} />}
      <ul class="share-list">
        {items.map((each) => (
          <li key={each.id} class="share-line">
            <Icon name="device" size={20} />
            <span class="grow">
              <span class="row wrap" style={{ "--gap": "2px 8px" }}>
                <span class="strong">{DOORS[each.door] ?? each.door}</span>
                {each.is_current && <Badge tone="good">This one</Badge>}
              </span>
              <span class="small muted">
                {each.address ? `${each.address} · ` : ""}last used <Ago at={each.seen_at} />
              </span>
            </span>
            {!each.is_current && (
              <Button small onClick={() => end(each)}>
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

const SCOPES: [string, string][] = [
  ["read", "Read"],
  ["predict", "Read and predict"],
  ["write", "Everything but administration"],
  ["admin", "Everything that you may do"],
];

export function Tokens() {
  const listed = useCall<Page<TokenRead>>("tokens.list");
  const [adding, setAdding] = useState(false);
  const again = () => invalidate((name) => name.startsWith("tokens."));
  const end = (token: TokenRead) =>
    ask({
      title: `End the token ${token.name}?`,
      words: "Scripts that use it are refused from now on.",
      yes: "End it",
      danger: true,
      act: () => call("tokens.end", { ref: token.id }).then(again),
    });
  return (
    <Card
      title="Tokens for scripts"
      note="A token signs in as you, as far as you let it."
      action={
        <Button small icon="plus" onClick={() => setAdding(true)}>
          New
        </Button>
      }
    >
      {listed.error && <Trouble error={listed.error} again={listed.reload} />}
      {listed.data?.items.length === 0 && <p class="muted">You have none.</p>}
      <ul class="share-list">
        {listed.data?.items.map((each) => (
          <li key={each.id} class="share-line">
            <Icon name="key" size={20} />
            <span class="grow">
              <span class="strong clip" style={{ display: "block" }}>
                {each.name}
              </span>
              <span class="small muted">
                {SCOPES.find(([scope]) => scope === each.scope)?.[1]} · until {format.when(each.expires_at).split(",")[0]} ·{" "}
                {each.last_used_at ? (
                  <>
                    last used <Ago at={each.last_used_at} />
                  </>
                ) : (
                  "never used"
                )}
              </span>
            </span>
            <Button small onClick={() => end(each)}>
              End
            </Button>
          </li>
        ))}
      </ul>
      {adding && <NewToken onClose={() => setAdding(false)} onDone={again} />}
    </Card>
  );
}

function NewToken({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [name, setName] = useState("");
  const [scope, setScope] = useState("read");
  const [days, setDays] = useState("90");
  const [made, setMade] = useState<TokenMade | null>(null);
  const [trouble, setTrouble] = useState("");
  const create = () =>
    call<TokenMade>("tokens.create", { name: name.trim(), scope, days: Number(days) }).then(
      (fresh) => {
        setMade(fresh);
        onDone();
      },
      (error: Failure) => setTrouble(error.message),
    );
  return (
    <Dialog
      title="New token"
      onClose={onClose}
      actions={
        made ? (
          <Button tone="main" onClick={onClose}>
            Done
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button tone="main" disabled={!name.trim()} onClick={create}>
              Make it
            </Button>
          </>
        )
      }
    >
      {made ? (
        <div class="stack">
          <Notice tone="good" title="Copy it now; it is not shown again">
            <code class="mono made-link">{made.token}</code>
          </Notice>
          <Button
            icon="copy"
            onClick={() =>
              navigator.clipboard.writeText(made.token).then(
                () => toast({ tone: "good", title: "Copied" }),
                () => setTrouble("The browser did not let it be copied. Mark the text and copy it."),
              )
            }
          >
            Copy
          </Button>
          {trouble && <Notice tone="bad">{trouble}</Notice>}
        </div>
      ) : (
        <div class="stack">
          <Input label="Name" value={name} onInput={setName} placeholder="Nightly scoring" />
          <Select label="It may" value={scope} choices={SCOPES} onChange={setScope} />
          <Select
            label="It is valid for"
            value={days}
            choices={[
              ["7", "a week"],
              ["30", "a month"],
              ["90", "three months"],
              ["366", "a year"],
            ]}
            onChange={setDays}
          />
          {trouble && <Notice tone="bad">{trouble}</Notice>}
        </div>
      )}
    </Dialog>
  );
}

/** What one stores, and how much of it is allowed. */
export function Stored() {
  const found = useCall<UsageRead>("account.usage");
  const used = found.data;
  return (
    <Card title="What you store" note="Sealed, with all that was made from your files.">
      {found.error && <Trouble error={found.error} again={found.reload} />}
      {!used && !found.error && <Bones lines={1} height={44} />}
      {used && (
        <>
          {used.quota != null && (
            <Meter share={used.quota ? Math.min(1, used.used / used.quota) : 1} label={`${format.bytes(used.used)} of ${format.bytes(used.quota)}`} />
          )}
          <p>
            {format.bytes(used.used)}
            {used.quota != null && ` of ${format.bytes(used.quota)}`}: {format.bytes(used.datasets)} of data, {format.bytes(used.models)} of models
          </p>
          <p class="small muted">A single file may have up to {format.bytes(used.upload_limit)}.</p>
        </>
      )}
    </Card>
  );
}
