// Admin: who is here and what they may do, who did what, how the platform is.
import { useState } from "preact/hooks";
import { call } from "../channel";
import * as format from "../format";
import { invalidate, useCall } from "../query";
import { place, to } from "../router";
import type { AccountRead, AuditRead, Page as Listed, StatusRead } from "../schema";
import { account, may, nameOf } from "../session";
import { Button, Tabs } from "../parts/button";
import { Dialog, ask } from "../parts/dialog";
import { Input, Select } from "../parts/field";
import { Ago, Badge, Bones, Card, Empty, Face, Fact, Notice, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";
import { ROLES } from "../shell/frame";
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
          { id: "system", label: "System", href: to("/admin/system") },
        ]}
      />
      {part === "" && <Accounts />}
      {part === "audit" && <Audit />}
      {part === "system" && <System />}
    </Page>
  );
}

const CHOICES = Object.entries(ROLES) as [string, string][];
const HINTS: Record<string, string> = {
  admin: "Runs the workspace: accounts, audit, everything.",
  analyst: "Uploads data, trains models, predicts, shares.",
  viewer: "Looks at what is shared and predicts single cases.",
};

function Accounts() {
  const accounts = useCall<AccountRead[]>("accounts.list");
  const [adding, setAdding] = useState(false);
  return (
    <Card
      title="Accounts"
      flush
      action={
        <Button tone="main" icon="plus" onClick={() => setAdding(true)}>
          Add
        </Button>
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
    </Card>
  );
}

function Person({ person }: { person: AccountRead }) {
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
          {person.email} · {person.last_seen_at ? <>seen <Ago at={person.last_seen_at} /></> : "never seen"}
        </p>
      </div>
      <div class="person-act">
        <Select quiet label={`Role of ${nameOf(person)}`} value={person.role} choices={CHOICES} onChange={(role) => void change({ role }, `${nameOf(person)} is ${role === "viewer" ? "a viewer" : role === "analyst" ? "an analyst" : "an administrator"} now`)} />
        {person.disabled ? (
          <Button onClick={() => change({ disabled: false }, `${nameOf(person)} can sign in again`)}>Enable</Button>
        ) : (
          <Button disabled={self} onClick={disable}>
            Disable
          </Button>
        )}
      </div>
    </li>
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
        <Input label="First password" type="password" autocomplete="new-password" value={password} onInput={setPassword} hint={<>Or leave it empty and give them a link made with <span class="mono">jupyter dapp signin-link</span></>} />
        {trouble && <Notice tone="bad">{trouble}</Notice>}
      </div>
    </Dialog>
  );
}

function Audit() {
  const first = useCall<Listed<AuditRead>>("audit.list", { limit: 60 });
  const [more, setMore] = useState<AuditRead[]>([]);
  const [next, setNext] = useState<string | null | undefined>(undefined);
  const cursor = next === undefined ? first.data?.next : next;
  const load = async () => {
    const page = await call<Listed<AuditRead>>("audit.list", { limit: 60, cursor });
    setMore((before) => [...before, ...page.items]);
    setNext(page.next);
  };
  const rows = [...(first.data?.items ?? []), ...more];
  return (
    <Card title="Audit log" note="Who did what, on what, from where, and how it ended. Nothing in it can be changed here." flush>
      {first.error && <Trouble error={first.error} again={first.reload} />}
      {!first.data && !first.error && (
        <div class="pad">
          <Bones lines={8} height={40} />
        </div>
      )}
      {first.data && rows.length === 0 && <Empty icon="shield" title="Nothing yet" />}
      {rows.length > 0 && (
        <table class="list-table audit">
          <thead>
            <tr>
              <th scope="col" class="wide-only w-m">When</th>
              <th scope="col">Who</th>
              <th scope="col">What</th>
              <th scope="col" class="wide-only w-l">
                From
              </th>
              <th scope="col" class="w-out">Outcome</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id}>
                <td class="nowrap muted wide-only">
                  <Ago at={row.at} />
                </td>
                <td>
                  <span class="clip" style={{ display: "block" }}>
                    {row.actor_name || "The machine"}
                  </span>
                  <span class="small muted narrow-only">
                    <Ago at={row.at} />
                  </span>
                </td>
                <td>
                  <span class="mono small">
                    {row.action.split(".").map((part, index) => (index ? <>.<wbr />{part}</> : part))}
                  </span>
                </td>
                <td class="muted small wide-only">
                  {row.door}
                  {row.address ? ` · ${row.address}` : ""}
                </td>
                <td>
                  <Badge tone={row.outcome === "allow" ? "good" : "bad"}>{OUTCOMES[row.outcome] ?? row.outcome}</Badge>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {cursor && (
        <div class="pad">
          <Button onClick={load}>Show more</Button>
        </div>
      )}
    </Card>
  );
}

const OUTCOMES: Record<string, string> = { allow: "Done", deny: "Refused", fail: "Failed" };

function System() {
  const status = useCall<StatusRead>("system.status");
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
