// Invitations that wait, and the link that is told once.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { invalidate, useCall } from "../query";
import type { InvitationRead, LinkMade, Page } from "../schema";
import { nameOf } from "../session";
import { Button } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Input, Select } from "../parts/field";
import { Icon } from "../parts/icon";
import { Ago, Badge, Card, Notice, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";
import { ROLES } from "../shell/frame";

const ROLE_CHOICES: [string, string][] = [
  ["viewer", "Viewer"],
  ["analyst", "Analyst"],
  ["admin", "Administrator"],
];

export function Invitations() {
  const listed = useCall<Page<InvitationRead>>("invitations.list");
  const again = () => invalidate((name) => name === "invitations.list");
  const items = listed.data?.items ?? [];
  if (listed.error) return <Trouble error={listed.error} again={listed.reload} />;
  if (items.length === 0) return null;
  return (
    <Card title="Invited, not here yet" flush>
      <ul class="lines">
        {items.map((each) => (
          <li key={each.id} class="version-line">
            <Icon name="mail" size={20} />
            <span class="grow">
              <span class="row wrap" style={{ "--gap": "2px 8px" }}>
                <span class="strong">{each.email}</span>
                <Badge>{ROLES[each.role]}</Badge>
              </span>
              <span class="small muted">
                {nameOf(each.invited_by)} · <Ago at={each.created_at} /> · open until {format.when(each.expires_at)}
              </span>
            </span>
            <Button
              small
              onClick={() => call("invitations.withdraw", { ref: each.id }).then(again, (error: Failure) => toast({ tone: "bad", title: error.message }))}
            >
              Withdraw
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function Invite({ onClose }: { onClose: () => void }) {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState("analyst");
  const [made, setMade] = useState<LinkMade | null>(null);
  const [trouble, setTrouble] = useState("");
  const invite = () =>
    call<LinkMade>("invitations.create", { email: email.trim(), name: name.trim(), role }).then(
      (fresh) => {
        setMade(fresh);
        invalidate((each) => each === "invitations.list");
      },
      (error: Failure) => setTrouble(error.message),
    );
  if (made)
    return (
      <OnceLink
        made={made}
        title="Invited"
        words={`Send this link to ${made.email}. It makes one account and is then used up. It can be used until ${format.when(made.expires_at)}.`}
        onClose={onClose}
      />
    );
  return (
    <Dialog
      title="Invite somebody"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="main" disabled={email.trim().length < 3} onClick={invite}>
            Make the link
          </Button>
        </>
      }
    >
      <div class="stack">
        <p class="muted">They choose their own password; you never see it.</p>
        <Input label="Email" type="email" value={email} onInput={setEmail} />
        <Input label="Name" value={name} onInput={setName} />
        <Select label="Role" value={role} choices={ROLE_CHOICES} onChange={setRole} />
        {trouble && <Notice tone="bad">{trouble}</Notice>}
      </div>
    </Dialog>
  );
}

/** A link for one use, told this once. */
export function OnceLink({ made, title, words, onClose }: { made: LinkMade; title: string; words: string; onClose: () => void }) {
  const address = `${location.origin}/accept?token=${made.token}`;
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <Button tone="main" onClick={onClose}>
          Done
        </Button>
      }
    >
      <div class="stack">
        <p>{words}</p>
        <code class="mono made-link">{address}</code>
        <div>
          <Button
            icon="copy"
            onClick={() =>
              navigator.clipboard.writeText(address).then(
                () => toast({ tone: "good", title: "Copied" }),
                () => toast({ tone: "bad", title: "The browser did not let it be copied. Mark the text and copy it." }),
              )
            }
          >
            Copy
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
