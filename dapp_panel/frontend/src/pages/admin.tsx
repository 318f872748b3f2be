// Admin: who is here and what they may do, who did what, how the platform is.
import { useState } from "preact/hooks";
import { call } from "../calls";
import * as format from "../format";
import { invalidate, useCall } from "../query";
import { place, to } from "../router";
import type { AccountRead, StatusRead } from "../schema";
import { may, nameOf } from "../session";
import { Button, Tabs } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Input, Select } from "../parts/field";
import { Ago, Bones, Card, Fact, Notice, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";
import { Audit } from "./admin_audit";
import { Invitations, Invite } from "./admin_invitations";
import { Keys } from "./admin_keys";
import { Notices } from "./admin_notices";
import { Latency } from "./admin_latency";
import { CHOICES, Person } from "./admin_people";
import { Queue } from "./admin_queue";
import { Storage } from "./admin_storage";
import { Head, Page } from "../shell/page";

export function Admin() {
  const part = place.value.parts[1] ?? "";
  if (!may("account.list")) {
    return (
      <Page>
        <Head title="Admin" />
        <Notice title="This page is for administrators">Your role does not open it.</Notice>
      </Page>
    );
  }
  return (
    <Page>
      <Head title="Admin" lead="People, what they did, and how the platform is." />
      <Tabs
        label="Parts of Admin"
        current={part}
        tabs={[
          { id: "", label: "Accounts", href: to("/admin") },
          { id: "audit", label: "Audit log", href: to("/admin/audit") },
          { id: "notices", label: "Notices", href: to("/admin/notices") },
          { id: "keys", label: "Keys", href: to("/admin/keys") },
          { id: "system", label: "System", href: to("/admin/system") },
        ]}
      />
      {!["audit", "notices", "keys", "system"].includes(part) && <Accounts />}
      {part === "audit" && <Audit />}
      {part === "notices" && <Notices />}
      {part === "keys" && <Keys />}
      {part === "system" && <System />}
    </Page>
  );
}

const HINTS: Record<string, string> = {
  admin: "Runs the workspace: accounts, audit, everything.",
  analyst: "Uploads data, trains models, predicts, shares.",
  viewer: "Looks at what is shared and predicts single cases.",
};

function Accounts() {
  const accounts = useCall<AccountRead[]>("accounts.list");
  const [adding, setAdding] = useState(false);
  const [inviting, setInviting] = useState(false);
  return (
    <>
      <Card
        title="Accounts"
        flush
        action={
          <span class="row" style={{ "--gap": "8px" }}>
            <Button icon="plus" onClick={() => setAdding(true)}>
              Add
            </Button>
            <Button tone="main" icon="mail" onClick={() => setInviting(true)}>
              Invite
            </Button>
          </span>
        }
      >
        {accounts.error && <Trouble error={accounts.error} again={accounts.reload} />}
        {!accounts.data && !accounts.error && (
          <div class="pad">
            <Bones lines={4} height={48} />
          </div>
        )}
        <ul class="lines">
          {accounts.data?.map((each) => (
            <Person key={each.id} person={each} />
          ))}
        </ul>
        {adding && <Add onClose={() => setAdding(false)} />}
        {inviting && <Invite onClose={() => setInviting(false)} />}
      </Card>
      <Invitations />
    </>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState("analyst");
  const [password, setPassword] = useState("");
  const [trouble, setTrouble] = useState("");
  const add = () => {
    setTrouble("");
    return call<AccountRead>("accounts.create", { email: email.trim(), name: name.trim(), role, password: password || null }).then(
      (person) => {
        toast({ tone: "good", title: `${nameOf(person)} was added` });
        invalidate((each) => each === "accounts.list");
        onClose();
      },
      (error: Error) => setTrouble(error.message),
    );
  };
  return (
    <Dialog
      title="Add an account"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="main" disabled={email.trim().length < 3} onClick={add}>
            Add
          </Button>
        </>
      }
    >
      <div class="stack">
        <Input label="Email" type="email" value={email} onInput={setEmail} />
        <Input label="Name" value={name} onInput={setName} />
        <Select label="Role" value={role} choices={CHOICES} onChange={setRole} hint={HINTS[role]} />
        <Input
          label="First password"
          type="password"
          autocomplete="new-password"
          value={password}
          onInput={setPassword}
          hint={
            <>
              Or leave it empty and give them a link made with <span class="mono">jupyter dapp signin-link</span>
            </>
          }
        />
        {trouble && <Notice tone="bad">{trouble}</Notice>}
      </div>
    </Dialog>
  );
}

function System() {
  const status = useCall<StatusRead>("system.status", {}, { every: 5 });
  if (status.error) return <Trouble error={status.error} again={status.reload} />;
  if (!status.data) return <Bones lines={3} height={90} />;
  const data = status.data;
  const doors: [string, string | null][] = [
    ["Dashboard", data.dashboard],
    ["JupyterLab", data.jupyterlab],
    ["API", data.api],
  ];
  return (
    <>
      <dl class="facts">
        <Fact label="Version">{data.version}</Fact>
        <Fact label="Workers">{format.count(data.workers.length)}</Fact>
        <Fact label="Running">{format.count(data.running)}</Fact>
        <Fact label="Waiting">{format.count(data.queued)}</Fact>
      </dl>
      {data.workers.length === 0 && (
        <Notice tone="warn" title="No worker runs">
          Files are not read and models not trained until one does. Start it with <span class="mono">jupyter dapp worker</span>.
        </Notice>
      )}
      <Queue />
      <Latency of={data.latency} />
      <Storage />
      <Card title="How accounts are kept apart">
        <p>{format.sentence(data.isolation)}</p>
      </Card>
      <div class="grid-2">
        <Card title="Addresses">
          <dl class="recipe">
            {doors.map(([name, address]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{address ? <span class="mono">{address}</span> : <span class="muted">Does not answer now</span>}</dd>
              </div>
            ))}
            <div>
              <dt>Home folder</dt>
              <dd class="mono">{data.home}</dd>
            </div>
          </dl>
        </Card>
        <Card title="Workers">
          {data.workers.length === 0 && <p class="muted">None.</p>}
          <dl class="recipe">
            {data.workers.map((worker) => (
              <div key={worker.id}>
                <dt>
                  {worker.host}, process {worker.pid}
                </dt>
                <dd>
                  {format.counted(worker.jobs, "job")} now · seen <Ago at={worker.seen_at} />
                </dd>
              </div>
            ))}
          </dl>
        </Card>
      </div>
    </>
  );
}
