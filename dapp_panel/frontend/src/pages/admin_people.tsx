// One person in the list of accounts, and the places where that person is signed in.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { invalidate, useCall } from "../query";
import type { AccountRead, LinkMade, Page, SessionRead } from "../schema";
import { account, nameOf } from "../session";
import { Button } from "../parts/button";
import { Dialog, Menu, ask } from "../parts/dialog";
import { Select } from "../parts/field";
import { Icon } from "../parts/icon";
import { Ago, Badge, Bones, Face, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";
import { ROLES } from "../shell/frame";
import { DOORS } from "./account_parts";
import { OnceLink } from "./admin_invitations";

export const CHOICES = Object.entries(ROLES) as [string, string][];

/** One account: its role, and what else an administrator does with it. */
export function Person({ person }: { person: AccountRead }) {
  const [made, setMade] = useState<LinkMade | null>(null);
  const [looking, setLooking] = useState(false);
  const again = () => invalidate((name) => name === "accounts.list" || name.startsWith("sessions."));
  const reset = () =>
    ask({
      title: `A new password for ${nameOf(person)}?`,
      words: "You get a link to send them. Their present password stops working at once, and they are signed out everywhere.",
      yes: "Make the link",
      danger: true,
      act: () =>
        call<LinkMade>("accounts.reset", { ref: person.id }).then((link) => {
          setMade(link);
          again();
        }),
    });
  const signOut = () =>
    ask({
      title: `Sign ${nameOf(person)} out everywhere?`,
      words: "Every place where they are signed in, every token of theirs and every link into their account ends at once.",
      yes: "Sign out",
      act: () => call("accounts.end_sessions", { ref: person.id }).then(again),
    });
  const self = person.id === account.value.id;
  const change = (fields: object, said: string) =>
    call("accounts.update", { ref: person.id, ...fields }).then(
      () => {
        toast({ tone: "good", title: said });
        invalidate((name) => name === "accounts.list");
      },
      (error: Error) => {
        toast({ tone: "bad", title: error.message });
        invalidate((name) => name === "accounts.list");
      },
    );
  const disable = () =>
    ask({
      title: `Disable ${nameOf(person)}?`,
      words: "They are signed out everywhere at once and cannot sign in any more. What they made stays. You can enable them again.",
      yes: "Disable",
      danger: true,
      act: () => call("accounts.update", { ref: person.id, disabled: true }).then(() => invalidate((name) => name === "accounts.list")),
    });
  return (
    <li class={`line person ${person.disabled ? "off" : ""}`}>
      <Face person={person} size={38} />
      <div class="grow person-words">
        <p class="row" style={{ "--gap": "8px" }}>
          <span class="strong clip">{nameOf(person)}</span>
          {self && <Badge tone="accent">You</Badge>}
          {person.disabled && <Badge tone="bad">Disabled</Badge>}
          {!person.has_password && !person.disabled && <Badge>No password yet</Badge>}
        </p>
        <p class="small muted clip">
          {person.email} ·{" "}
          {person.last_seen_at ? (
            <>
              seen <Ago at={person.last_seen_at} />
            </>
          ) : (
            "never seen"
          )}
        </p>
      </div>
      <div class="person-act">
        <Select
          quiet
          disabled={self}
          label={`Role of ${nameOf(person)}`}
          value={person.role}
          choices={CHOICES}
          onChange={(role) =>
            void change({ role }, `${nameOf(person)} is ${role === "viewer" ? "a viewer" : role === "analyst" ? "an analyst" : "an administrator"} now`)
          }
        />
        {person.disabled ? (
          <Button onClick={() => change({ disabled: false }, `${nameOf(person)} can sign in again`)}>Enable</Button>
        ) : (
          <Menu
            label={`More to do with ${nameOf(person)}`}
            items={
              self
                ? [{ label: "Where you are signed in", icon: "device", act: () => setLooking(true) }]
                : [
                    { label: "Where they are signed in", icon: "device", act: () => setLooking(true) },
                    { label: "Link for a new password", icon: "key", act: reset },
                    { label: "Sign out everywhere", icon: "leave", act: signOut },
                    { label: "Disable", icon: "lock", danger: true, act: disable },
                  ]
            }
          />
        )}
        {looking && <Places of={person} onClose={() => setLooking(false)} />}
        {made && (
          <OnceLink
            made={made}
            title="A link for a new password"
            words={`Send it to ${made.email}. It is used up by the first use, and can be used until ${format.when(made.expires_at)}.`}
            onClose={() => setMade(null)}
          />
        )}
      </div>
    </li>
  );
}

function Places({ of, onClose }: { of: AccountRead; onClose: () => void }) {
  const listed = useCall<Page<SessionRead>>("sessions.list", { account: of.id });
  const end = (session: SessionRead) =>
    call(session.token_name ? "tokens.end" : "sessions.end", { ref: session.id }).then(
      () => invalidate((name) => name.startsWith("sessions.")),
      (error: Failure) => toast({ tone: "bad", title: error.message }),
    );
  return (
    <Dialog
      title={`Where ${nameOf(of)} is signed in`}
      onClose={onClose}
      actions={
        <Button tone="main" onClick={onClose}>
          Done
        </Button>
      }
    >
      {listed.error && <Trouble error={listed.error} again={listed.reload} />}
      {!listed.data && !listed.error && <Bones lines={2} height={44} />}
      {listed.data?.items.length === 0 && <p class="muted">Nowhere at the moment.</p>}
      <ul class="share-list">
        {listed.data?.items.map((each) => (
          <li key={each.id} class="share-line">
            <Icon name={each.token_name ? "key" : "device"} size={20} />
            <span class="grow">
              <span class="row wrap" style={{ "--gap": "2px 8px" }}>
                <span class="strong">{each.token_name ? `Token ${each.token_name}` : (DOORS[each.door] ?? each.door)}</span>
                {each.is_current && <Badge tone="good">This one</Badge>}
              </span>
              <span class="small muted">
                {each.address ? `${each.address} · ` : ""}since {format.when(each.created_at)} · last used <Ago at={each.seen_at} />
              </span>
            </span>
            {!each.is_current && (
              <Button small label={`End ${each.token_name ?? DOORS[each.door] ?? each.door}`} onClick={() => end(each)}>
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
